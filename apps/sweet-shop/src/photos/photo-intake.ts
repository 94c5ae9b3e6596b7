import { Injectable } from '@nestjs/common';
import { DurableTaskQueue } from 'nestjs-nightshift';
import { waitForRoom } from '../night-shift/room-in-queue.js';
import { ShopConfig } from '../shop.config.js';
import { PhotoAlbum } from './photo-album.js';
import { resizePhoto } from './resize-photo.js';

@Injectable()
export class PhotoIntake {
  constructor(
    private readonly queue: DurableTaskQueue,
    private readonly album: PhotoAlbum,
    private readonly config: ShopConfig,
  ) {}

  /** Resolves as soon as the queue has accepted the photo, which is at once while there is room. */
  async accept(id: string): Promise<void> {
    const name = `resize photo ${id}`; // as logs call the task
    try {
      await waitForRoom(this.config.patienceMs, (signal) =>
        this.queue.enqueue(resizePhoto, { id }, { name, tags: [id], signal }),
      );
    } catch (error) {
      await this.album.discard(id);
      throw error;
    }
  }
}

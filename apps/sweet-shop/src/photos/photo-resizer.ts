import { Injectable } from '@nestjs/common';
import { TaskQueue } from 'nestjs-nightshift';
import sharp from 'sharp';
import { waitForRoom } from '../night-shift/room-in-queue.js';
import { ShopConfig } from '../shop.config.js';
import { PhotoAlbum } from './photo-album.js';

/** Makes small photos of large ones, after the request that brought them has been answered. */
@Injectable()
export class PhotoResizer {
  constructor(
    private readonly queue: TaskQueue,
    private readonly album: PhotoAlbum,
    private readonly config: ShopConfig,
  ) {}

  /** Resolves as soon as the queue has accepted the photo, which is at once while there is room. */
  async accept(id: string): Promise<void> {
    const name = `resize photo ${id}`; // as logs call the task
    try {
      const task = await waitForRoom(this.config.patienceMs, (signal) =>
        this.queue.enqueue(() => this.resize(id), { name, signal }),
      );
      this.album.add(id, task);
    } catch (error) {
      await this.album.discard(id);
      throw error;
    }
  }

  private async resize(id: string): Promise<void> {
    await sharp(this.album.original(id))
      .autoOrient()
      .resize({ width: 320, withoutEnlargement: true })
      .webp()
      .toFile(this.album.small(id));
  }
}

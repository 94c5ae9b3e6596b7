import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, NotFoundException } from '@nestjs/common';
import { BackgroundAdmin, type TaskProgress, type TaskState } from 'nestjs-nightshift';
import { ShopConfig } from '../shop.config.js';

export interface PhotoStatus {
  readonly id: string;
  readonly state: TaskState;
  readonly progress?: TaskProgress | undefined;
  /** Why there is no small photo, when there will be none. */
  readonly reason?: string | undefined;
}

export function photosDirectory({ dataDir }: ShopConfig): string {
  return join(dataDir, 'photos');
}

/** Where each photo is, and what became of it. */
@Injectable()
export class PhotoAlbum {
  constructor(
    private readonly config: ShopConfig,
    private readonly admin: BackgroundAdmin,
  ) {}

  original(id: string): string {
    return join(photosDirectory(this.config), id);
  }

  small(id: string): string {
    return `${this.original(id)}.webp`;
  }

  async discard(id: string): Promise<void> {
    await rm(this.original(id), { force: true });
  }

  /** Asks the queue, which knows its tasks by their tags: also after a restart, if it keeps them in a file. */
  async status(id: string): Promise<PhotoStatus> {
    const { tasks } = await this.admin.searchTasks('default', { tag: id, limit: 1 });
    const [resizing] = tasks;
    if (resizing === undefined) throw new NotFoundException(`There is no photo ${id}.`);
    const { state, progress, error } = resizing;
    return { id, state, progress, reason: error?.message };
  }
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, NotFoundException } from '@nestjs/common';
import type { TaskHandle, TaskState } from 'nestjs-nightshift';
import { ShopConfig } from '../shop.config.js';

export interface PhotoStatus {
  readonly id: string;
  readonly state: TaskState;
  /** Why there is no small photo, when there will be none. */
  readonly reason?: string;
}

/** How many photos the album can tell about. */
const remembered = 1_000;

export function photosDirectory({ dataDir }: ShopConfig): string {
  return join(dataDir, 'photos');
}

/** Where each photo is, and what became of it. */
@Injectable()
export class PhotoAlbum {
  private readonly tasks = new Map<string, TaskHandle>();

  constructor(private readonly config: ShopConfig) {}

  original(id: string): string {
    return join(photosDirectory(this.config), id);
  }

  small(id: string): string {
    return `${this.original(id)}.webp`;
  }

  add(id: string, resizing: TaskHandle): void {
    this.tasks.set(id, resizing);
    const [oldest] = this.tasks.keys();
    if (this.tasks.size > remembered) this.tasks.delete(oldest!);
  }

  async discard(id: string): Promise<void> {
    await rm(this.original(id), { force: true });
  }

  async status(id: string): Promise<PhotoStatus> {
    const task = this.tasks.get(id);
    if (task === undefined) throw new NotFoundException(`There is no photo ${id}.`);
    const state = await task.state();
    if (state !== 'dead' && state !== 'cancelled') return { id, state };
    const reason = await task.result().catch((error: Error) => error.message); // rejects at once: the task has ended
    return { id, state, reason: String(reason) };
  }
}

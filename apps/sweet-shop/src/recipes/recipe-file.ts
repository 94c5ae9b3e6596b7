import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ShopConfig } from '../shop.config.js';

export interface Recipe {
  readonly sweet: string;
  readonly price: number;
}

const samples: readonly Recipe[] = [
  { sweet: 'humbug', price: 10 },
  { sweet: 'fudge', price: 25 },
  { sweet: 'liquorice', price: 15 },
];

/** Recipes and prices, in a file to edit while the shop is open. */
@Injectable()
export class RecipeFile implements OnModuleInit {
  constructor(private readonly config: ShopConfig) {}

  get path(): string {
    return join(this.config.dataDir, 'recipes.json');
  }

  async onModuleInit(): Promise<void> {
    await mkdir(this.config.dataDir, { recursive: true });
    const content = `${JSON.stringify(samples, undefined, 2)}\n`;
    await writeFile(this.path, content, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }

  async read(signal: AbortSignal): Promise<readonly Recipe[]> {
    const recipes: unknown = JSON.parse(await readFile(this.path, { encoding: 'utf8', signal }));
    if (!Array.isArray(recipes)) throw new TypeError(`${this.path} must hold a list of recipes.`);
    return recipes as Recipe[];
  }
}

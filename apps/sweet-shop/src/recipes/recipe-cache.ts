import { BackgroundService } from 'nestjs-nightshift';
import { shopConfig } from '../shop.config.js';
import { RecipeFile, type Recipe } from './recipe-file.js';

/**
 * Reads the recipes again and again, so that no request has to. When the file cannot be read the tick fails: it is
 * logged, the recipes stay as they were, and the next tick tries again.
 */
@BackgroundService({ every: shopConfig.recipesEvery, runOnStart: true })
export class RecipeCache implements BackgroundService {
  private current: readonly Recipe[] = [];
  private read: Date | undefined;

  constructor(private readonly file: RecipeFile) {}

  get recipes(): readonly Recipe[] {
    return this.current;
  }

  get readAt(): Date | undefined {
    return this.read;
  }

  async execute(stoppingToken: AbortSignal): Promise<void> {
    this.current = await this.file.read(stoppingToken);
    this.read = new Date();
  }
}

import { Controller, Get } from '@nestjs/common';
import { RecipeCache } from './recipe-cache.js';
import type { Recipe } from './recipe-file.js';

@Controller('recipes')
export class RecipesController {
  constructor(private readonly cache: RecipeCache) {}

  @Get()
  recipes(): { readAt: Date | undefined; recipes: readonly Recipe[] } {
    return { readAt: this.cache.readAt, recipes: this.cache.recipes };
  }
}

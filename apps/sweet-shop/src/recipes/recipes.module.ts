import { Module } from '@nestjs/common';
import { RecipeCache } from './recipe-cache.js';
import { RecipeFile } from './recipe-file.js';
import { RecipesController } from './recipes.controller.js';

@Module({ controllers: [RecipesController], providers: [RecipeFile, RecipeCache] })
export class RecipesModule {}

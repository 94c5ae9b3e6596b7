import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ModuleRegisteredTwiceError } from '../errors.js';

/**
 * Below the root module's 1. Nest runs start hooks by falling distance and stop hooks by rising distance, so this puts a
 * module's start after every other one's, and its stop before. A global module would otherwise have the greatest
 * distance of all: first to start, last to stop.
 */
const outermost = -1;

/**
 * Gives the one module of a class its place outside all others. Must be called while modules are being instantiated:
 * Nest sorts them once, before the first hook.
 *
 * @throws ModuleRegisteredTwiceError when there are several
 */
export function placeOutermost(modules: ModulesContainer, metatype: unknown): void {
  const own = [...modules.values()].filter((module) => module.metatype === metatype);
  if (own.length > 1) throw new ModuleRegisteredTwiceError();
  for (const module of own) module.distance = outermost;
}

/** Sees whether hooks of ordinary modules have run. */
@Injectable()
export class HookOrderWitness implements OnApplicationBootstrap {
  hasSeenBootstrap = false;

  onApplicationBootstrap(): void {
    this.hasSeenBootstrap = true;
  }
}

/** An ordinary module, to find out whether the order took effect. */
@Module({ providers: [HookOrderWitness], exports: [HookOrderWitness] })
export class HookOrderModule {}

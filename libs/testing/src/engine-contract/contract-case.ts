import type { EngineFeature } from 'nestjs-nightshift';
import { ContractStage } from './contract-stage.js';
import type { ResolvedContractSetup } from './contract-setup.js';

/** One case of a contract, for any test framework: it has failed when the promise rejects. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** What a case needs an engine for: a feature, or a property of what it keeps. */
export type ContractNeed = EngineFeature | 'durable' | 'memory' | 'shared';

/** A case as it is written: only for engines that have what it needs. */
export interface WrittenCase {
  readonly name: string;
  readonly needs: readonly ContractNeed[];
  readonly play: (stage: ContractStage) => Promise<void>;
}

/** Collects the cases of one area. */
export type CaseWriter = (
  name: string,
  needs: readonly ContractNeed[],
  play: (stage: ContractStage) => Promise<void>,
) => void;

/** The cases that `write` writes, each named after the area. */
export function casesOf(area: string, write: (writer: CaseWriter) => void): readonly WrittenCase[] {
  const cases: WrittenCase[] = [];
  write((name, needs, play) => void cases.push({ name: `${area}: ${name}`, needs, play }));
  return cases;
}

export function canPlay({ needs }: WrittenCase, { capabilities, isShared }: ResolvedContractSetup): boolean {
  const has: Readonly<Record<'durable' | 'memory' | 'shared', boolean>> = {
    durable: capabilities.durable,
    memory: !capabilities.durable,
    shared: isShared,
  };
  return needs.every((need) =>
    need === 'durable' || need === 'memory' || need === 'shared'
      ? has[need]
      : capabilities.lacks[need] === undefined,
  );
}

export function toContractCase({ name, play }: WrittenCase, setup: ResolvedContractSetup): ContractCase {
  return {
    name,
    run: async () => {
      const stage = await ContractStage.open(setup);
      let hasFailed = true;
      try {
        await play(stage);
        hasFailed = false;
      } finally {
        await stage.finish(hasFailed);
      }
    },
  };
}

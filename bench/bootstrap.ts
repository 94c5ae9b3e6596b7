import { fork } from 'node:child_process';
import { once } from 'node:events';
import { inTurns, type Repeatable, type Role, type Row } from './comparison.js';
import { bootOnce, type Variant } from './boot.js';
import { atMostMore } from './goal.js';

const variants: readonly { variant: Variant; name: string; role: Role }[] = [
  { variant: 'longRunning', name: '100 long-running services', role: 'ours' },
  { variant: 'ticked', name: '100 ticked services', role: 'ours' },
  { variant: 'plain', name: 'without: 100 plain providers', role: 'reference' },
  { variant: 'intervals', name: '100 @Interval() of @nestjs/schedule', role: 'peer' },
];

const shared = { unit: 'ms', better: 'lower' } as const;

function contenders(boot: (variant: Variant) => Promise<number>): Repeatable[] {
  return variants.map(({ variant, name, role }) => {
    const contender = { name, role, prepare: async () => ({ sample: () => boot(variant) }) };
    return variant === 'plain' ? { ...contender, goal: atMostMore(20) } : contender;
  });
}

/** What the start of an application pays for its services. */
export function bootstrapRows(): Row[] {
  return [
    inTurns(
      {
        ...shared,
        id: 'bootstrap',
        title: 'Bootstrap of an application with 100 services',
        how: '`NestFactory.createApplicationContext()`, again and again in one process, against the same application with as many plain providers and no module of ours.',
      },
      contenders(bootOnce),
    ),
    inTurns(
      {
        ...shared,
        id: 'bootstrap-cold',
        title: 'Bootstrap of an application with 100 services, in a new process',
        how: 'The same, but the first time in a process of its own, as applications really start: nothing is compiled or warm. Loading the modules is not counted.',
      },
      contenders(bootInNewProcess),
    ),
  ];
}

async function bootInNewProcess(variant: Variant): Promise<number> {
  const child = fork(new URL('boot.js', import.meta.url), [variant]);
  const [elapsedMs] = (await once(child, 'message')) as [number];
  await once(child, 'exit');
  return elapsedMs;
}

import { Test } from '@nestjs/testing';
import { ManualClock } from 'nestjs-nightshift/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BackgroundEvents } from '../events/background-events.js';
import { ApplicationLifetime } from '../hosting/lifetime.js';
import { TaskQueue } from '../tasks/task-queue.js';
import { ApplicationCloser } from './application-closer.js';
import { BackgroundModule } from './background.module.js';
import { BackgroundService } from './decorators.js';

async function setup() {
  const clock = new ManualClock();
  const app = await Test.createTestingModule({ imports: [BackgroundModule.forRoot({ clock })] }).compile();
  app.useLogger(false);
  onTestFinished(() => app.close());
  const warnings: string[] = [];
  app.get(BackgroundEvents).on('host.warning', ({ code }) => warnings.push(code));
  await app.init();
  return { app, clock, warnings, lifetime: app.get(ApplicationLifetime), closer: app.get(ApplicationCloser) };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** Named as the listener that Nest adds. */
function cleanup(): void {}

/** Notes the signals that would be sent to this process. */
function interceptKill() {
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  onTestFinished(() => kill.mockRestore());
  return kill;
}

describe('stopApplication()', () => {
  it('stops services and queues, and warns, when nothing can close the application', async () => {
    const kill = interceptKill();
    const { app, warnings, lifetime } = await setup();
    const handle = await app.get(TaskQueue).enqueue(() => 'drained');
    lifetime.stopApplication('enough');
    expect(lifetime.stopped.aborted).toBe(false);
    await fired(lifetime.stopped);
    expect([lifetime.stopped.aborted, lifetime.stopReason, warnings]).toEqual([
      true,
      'enough',
      ['CANNOT_CLOSE'],
    ]);
    expect(await handle.result()).toBe('drained');
    expect(kill).not.toHaveBeenCalled();
  });

  it('sends the process the signal on which Nest closes the application when shutdown hooks are on', async () => {
    const kill = interceptKill();
    const { clock, warnings, lifetime } = await setup();
    process.on('SIGTERM', cleanup);
    onTestFinished(() => void process.off('SIGTERM', cleanup));
    lifetime.stopApplication();
    lifetime.stopApplication();
    await clock.advance(0);
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
    expect(warnings).toEqual([]);
  });

  it('leaves the closing to whoever has claimed it', async () => {
    const kill = interceptKill();
    const { clock, warnings, lifetime, closer } = await setup();
    closer.claim();
    lifetime.stopApplication();
    await clock.advance(0);
    expect([warnings, lifetime.stopped.aborted, kill.mock.calls]).toEqual([[], false, []]);
  });

  it('leaves the closing to whoever claims it, or closes, in the same moment', async () => {
    interceptKill();
    const [claimed, closed] = [await setup(), await setup()];
    claimed.lifetime.stopApplication();
    claimed.closer.claim();
    closed.lifetime.stopApplication();
    await closed.app.close();
    await claimed.clock.advance(0);
    expect([claimed.warnings, claimed.closer.isClosing]).toEqual([[], false]);
    expect([closed.warnings, closed.closer.isClosing]).toEqual([[], true]);
  });

  it('is asked for by a fault of a service', async () => {
    interceptKill();
    @BackgroundService()
    class Faulty {
      execute(): never {
        throw new Error('broken');
      }
    }
    const clock = new ManualClock();
    const imports = [BackgroundModule.forRoot({ clock })];
    const app = await Test.createTestingModule({ imports, providers: [Faulty] }).compile();
    app.useLogger(false);
    onTestFinished(() => app.close());
    await app.init();
    const lifetime = app.get(ApplicationLifetime);
    await fired(lifetime.stopped);
    expect(lifetime.stopReason).toMatchObject({ cause: { message: 'broken' } });
  });
});

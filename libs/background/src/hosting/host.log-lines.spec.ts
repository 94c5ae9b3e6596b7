import { describe, expect, it } from 'vitest';
import { logEvents, type LogTarget } from '../events/event-log.js';
import { failing, setup } from './host.fixture.js';

function setupLog() {
  const bundle = setup();
  const lines: string[] = [];
  const at = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  const target: LogTarget = { log: at('log'), warn: at('warn'), error: at('error'), debug: at('debug') };
  logEvents(bundle.events, target);
  return { ...bundle, lines };
}

describe('The log of a host', () => {
  it('H36 says that it started, stops and has stopped', async () => {
    const { add, host, lines } = setupLog();
    add('a');
    await host.start();
    await host.stop();
    expect(lines).toEqual([
      'log Started 1 service in 0 ms: a',
      'log Stopping: no new ticks',
      'log Stopped in 0 ms',
    ]);
  });

  it('H17 H36 has one line, of level error, when the start fails', async () => {
    const { add, host, lines } = setupLog();
    add('a');
    add('b', { start: failing('no port') });
    await expect(host.start()).rejects.toThrow('no port');
    expect(lines).toEqual(['error Start failed: no port']);
  });

  it('H36 has a line of level error for each hook of the stop that throws', async () => {
    const { add, host, lines } = setupLog();
    add('a', { stopping: failing('one'), stop: failing('two') });
    await host.start();
    lines.length = 0;
    await expect(host.stop()).rejects.toThrow(AggregateError);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      "error Service 'a' failed to stop: one",
      "error Service 'a' failed to stop: two",
    ]);
  });

  it('H36 has a line of level error when a listener of an event throws', async () => {
    const { host, events, lines } = setupLog();
    events.on('host.started', failing('listener'));
    await host.start();
    expect(lines).toContain("error A listener of 'host.started' threw: listener");
  });
});

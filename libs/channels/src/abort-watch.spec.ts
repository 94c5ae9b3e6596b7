import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { AbortWatch, type Abortable } from './abort-watch.js';

function setup() {
  const controller = new AbortController();
  const { signal } = controller;
  const aborted: string[] = [];
  const named = (name: string): Abortable => ({ abort: (reason) => aborted.push(`${name}: ${reason}`) });
  const listeners = (): number => getEventListeners(signal, 'abort').length;
  return { controller, signal, watch: AbortWatch.over(signal), aborted, named, listeners };
}

describe('AbortWatch', () => {
  it('is one to a signal', () => {
    const { signal, watch } = setup();
    expect(AbortWatch.over(signal)).toBe(watch);
    expect(AbortWatch.over(setup().signal)).not.toBe(watch);
  });

  it('listens once, and only while somebody waits', () => {
    const { watch, named, listeners } = setup();
    const [a, b] = [named('a'), named('b')];
    expect(listeners()).toBe(0);
    watch.add(a);
    watch.add(b);
    expect(listeners()).toBe(1);
    watch.delete(a);
    watch.delete(a);
    expect(listeners()).toBe(1);
    watch.delete(b);
    expect(listeners()).toBe(0);
    watch.add(a);
    expect(listeners()).toBe(1);
  });

  it('ends those who wait, in order, and nobody who has left', () => {
    const { controller, watch, aborted, named, listeners } = setup();
    const left = named('left');
    for (const abortable of [named('a'), left, named('b')]) watch.add(abortable);
    watch.delete(left);
    controller.abort('stop');
    expect(aborted).toEqual(['a: stop', 'b: stop']);
    expect(listeners()).toBe(0);
  });

  it('passes over one who is settled because another was aborted', () => {
    const { controller, watch, aborted, named } = setup();
    const second = named('second');
    watch.add({ abort: () => watch.delete(second) });
    watch.add(second);
    watch.add(named('third'));
    controller.abort('stop');
    expect(aborted).toEqual(['third: stop']);
  });

  it('lets a thousand wait under one signal without the warning of a leak', () => {
    const warn = vi.spyOn(process, 'emitWarning');
    const { watch, named, listeners } = setup();
    for (let i = 0; i < 1_000; i++) watch.add(named('x'));
    expect(listeners()).toBe(1);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });
});

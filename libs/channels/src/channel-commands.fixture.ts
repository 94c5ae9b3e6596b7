import * as fc from 'fast-check';
import {
  completionErrors,
  slots,
  Step,
  type Act,
  type Actual,
  type Expected,
} from './channel-play.fixture.js';

const slot = fc.nat({ max: slots - 1 });
const maybeSlot = fc.option(slot, { nil: undefined });

/** Starts something that may wait, under the signal in a slot or under none. */
function waiting(
  name: string,
  start: (expected: Expected, actual: Actual, signal: number | undefined) => void,
) {
  return maybeSlot.map((from) => ({
    name: from === undefined ? name : `${name} under ${from}`,
    act: (expected: Expected, actual: Actual) => start(expected, actual, expected.signal(from)),
  }));
}

const write = waiting('write', (expected, actual, signal) => {
  const id = expected.newId();
  expected.channel.write(id, id, signal);
  actual.track(id, actual.channel.writer.write(id, actual.options(signal)));
});
const read = waiting('read', (expected, actual, signal) => {
  const id = expected.newId();
  expected.channel.read(id, signal);
  actual.track(id, actual.channel.reader.read(actual.options(signal)));
});
const waitToRead = waiting('waitToRead', (expected, actual, signal) => {
  const id = expected.newId();
  expected.channel.waitToRead(id, signal);
  actual.track(id, actual.channel.reader.waitToRead(actual.options(signal)));
});
const waitToWrite = waiting('waitToWrite', (expected, actual, signal) => {
  const id = expected.newId();
  expected.channel.waitToWrite(id, signal);
  actual.track(id, actual.channel.writer.waitToWrite(actual.options(signal)));
});

function plain(name: string, act: Act): fc.Arbitrary<{ name: string; act: Act }> {
  return fc.constant({ name, act });
}

const tryWrite = plain('tryWrite', (expected, actual) => {
  const item = expected.newId();
  return [expected.channel.tryWrite(item), actual.channel.writer.tryWrite(item)];
});
const tryRead = plain('tryRead', (expected, actual) => [
  expected.channel.tryRead(),
  actual.channel.reader.tryRead(),
]);

const begin = fc.tuple(slot, maybeSlot).map(([which, from]) => ({
  name: `iteration ${which} begins under ${from}`,
  act: (expected: Expected, actual: Actual) => {
    const signal = expected.signal(from);
    expected.iterations.set(which, { phase: 'new', signal });
    actual.iterations.set(which, actual.iterate(signal));
  },
}));
const next = slot.map((which) => ({
  name: `iteration ${which} steps`,
  act: (expected: Expected, actual: Actual) => {
    const iteration = expected.iterations.get(which);
    if (iteration === undefined) return;
    const id = expected.newId();
    expected.channel.next(id, iteration);
    actual.track(id, actual.iterations.get(which)!.next());
  },
}));
const leave = slot.map((which) => ({
  name: `iteration ${which} is left`,
  act: (expected: Expected, actual: Actual) => {
    const iteration = expected.iterations.get(which);
    if (iteration === undefined) return;
    expected.channel.leave(iteration);
    void actual.iterations.get(which)!.return!();
  },
}));

const abort = slot.map((from) => ({
  name: `abort ${from}`,
  act: (expected: Expected, actual: Actual) => {
    const signal = expected.signal(from)!;
    expected.channel.abort(signal);
    if (!actual.controllers[signal]!.signal.aborted) actual.abort(signal);
  },
}));
const renew = slot.map((from) => ({
  name: `renew ${from}`,
  act: (expected: Expected, actual: Actual) => {
    expected.signals[from] = actual.controllers.push(new AbortController()) - 1;
  },
}));

const complete = fc
  .tuple(fc.constantFrom(undefined, ...completionErrors.keys()), fc.boolean())
  .map(([error, throws]) => ({
    name: `${throws ? 'complete' : 'tryComplete'}(${error ?? ''})`,
    act: (expected: Expected, actual: Actual) => {
      const { writer } = actual.channel;
      const cause = error === undefined ? undefined : completionErrors.get(error);
      const done = expected.channel.tryComplete(error);
      if (!throws) return [done, writer.tryComplete(cause)] as const;
      try {
        writer.complete(cause);
        return [done, true] as const;
      } catch (refusal) {
        return [done ? true : expected.channel.refusal, actual.inWords(refusal)] as const;
      }
    },
  }));

/** What can be done to a channel, in any order. */
export const commands = fc.commands(
  [
    fc
      .tuple(
        fc.oneof(
          { weight: 4, arbitrary: write },
          { weight: 3, arbitrary: read },
          { weight: 3, arbitrary: tryWrite },
          { weight: 3, arbitrary: tryRead },
          { weight: 3, arbitrary: next },
          { weight: 2, arbitrary: abort },
          { weight: 1, arbitrary: leave },
          { weight: 2, arbitrary: fc.oneof(waitToRead, waitToWrite, begin, renew) },
          { weight: 1, arbitrary: fc.oneof(waitToRead, waitToWrite, begin, renew, complete) },
        ),
        fc.boolean(),
      )
      .map(([{ name, act }, pauses]) => new Step(name, act, pauses)),
  ],
  { maxCommands: 100, size: 'max' },
);

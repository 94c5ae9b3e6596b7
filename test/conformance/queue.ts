import type { Behaviour } from './behaviour.js';

const drains = '0005-the-queue-drains';

export const queue: readonly Behaviour[] = [
  {
    id: 'Q1',
    behaviour: 'Work is enqueued and dequeued; a work item is a function of a token that returns a task.',
  },
  { id: 'Q2', behaviour: 'The queue is bounded, and enqueueing waits while it is full.' },
  { id: 'Q3', behaviour: 'Enqueueing null is an argument error.' },
  {
    id: 'Q4',
    behaviour: 'Enqueueing takes no token: a producer who waits for room cannot give up.',
    difference: { kind: 'beyond', reason: '`enqueue(work, { signal })` gives up waiting for room.' },
  },
  { id: 'Q5', behaviour: 'One consumer runs the items one after the other, in order.' },
  {
    id: 'Q6',
    behaviour: "Each item gets the service's stopping token, cancelled when the service begins to stop.",
    difference: {
      kind: 'differs',
      reason:
        "Each task has a signal of its own, for its cancellation, its timeout and the deadline of the shutdown; not for the beginning of the stop, since accepted work may finish. A user's own worker passes its signal to `run()`.",
      decision: drains,
    },
  },
  { id: 'Q7', behaviour: 'An error of an item is logged as an error, and the loop and the host go on.' },
  {
    id: 'Q8',
    behaviour:
      'The documentation has two loops: in one the cancelled dequeue of a stop is logged as an error, in the other it ends the loop in silence.',
    difference: {
      kind: 'differs',
      reason:
        'There is no loop to write. Stopping a queue that waits for work logs neither an error nor a warning.',
    },
  },
  {
    id: 'Q9',
    behaviour:
      'At the stop the item in flight is waited for until the timeout, and what waits behind it is lost in silence.',
    difference: {
      kind: 'differs',
      reason:
        'What was accepted runs, until the deadline; what is left then is named in an event and a log line.',
      decision: drains,
    },
  },
  {
    id: 'Q10',
    behaviour:
      'The queue is never closed: blocked producers wait for ever, and work enqueued after the stop never runs.',
    difference: {
      kind: 'differs',
      reason:
        'The queue closes at its turn to stop: producers who wait, and those who come later, get `QueueClosedError`.',
      decision: drains,
    },
  },
  {
    id: 'Q11',
    behaviour: 'An item has no DI scope, unless its author makes one.',
    difference: {
      kind: 'beyond',
      reason: 'Each task has one, made when it is first used and disposed after the task.',
    },
  },
  { id: 'Q12', behaviour: 'Producers watch for the stopping of the application to stop producing.' },
  {
    id: 'Q13',
    behaviour:
      "System.Web's `QueueBackgroundWorkItem` ran work that nobody awaits, told it of the shutdown, delayed that until the work had ended, and kept the caller's context away from it.",
    difference: {
      kind: 'differs',
      reason: 'All of that in any application, but work is told when the deadline comes and not before.',
      decision: '0014-tasks-run-in-the-context-of-the-queue',
    },
  },
];

// Long because it has an entry to an ID: C1 to C70.
import type { Behaviour } from './behaviour.js';

const channelsDiffer = '0013-where-channels-differ';
const oneReader =
  'There is one kind of unbounded channel, and any number may read from it: nothing is promised about readers, so nobody who waits is thrown out.';

export const channels: readonly Behaviour[] = [
  {
    id: 'C1',
    behaviour:
      'A bounded channel refuses a negative capacity, has no buffer with one of 0, and waits when full with any other.',
  },
  {
    id: 'C2',
    behaviour:
      'The options of a bounded channel take the same capacities, wait when full by default, and refuse a full mode that is none.',
  },
  { id: 'C3', behaviour: 'Null in place of options is an argument error.' },
  {
    id: 'C4',
    behaviour:
      'A caller may promise a single reader or writer, and allow continuations to run inline; all three are off by default and nothing enforces them.',
    difference: {
      kind: 'differs',
      reason:
        'There is nothing that such promises would speed up here, so they are refused as unknown options.',
    },
  },
  {
    id: 'C5',
    behaviour:
      'The promise of a single reader changes unbounded channels only, and that of a single writer none.',
    difference: {
      kind: 'differs',
      reason: 'One implementation serves every kind of channel; neither option exists.',
    },
  },
  { id: 'C6', behaviour: 'A channel has one reader and one writer, always the same objects.' },
  {
    id: 'C7',
    behaviour:
      'After completion a try-write, and a try-read with nothing left, answer no instead of throwing.',
  },
  {
    id: 'C8',
    behaviour:
      'A write after completion fails with a closed-channel error that carries the completion error.',
  },
  {
    id: 'C9',
    behaviour:
      'A read of a drained channel, begun before or after it was drained, fails with a closed-channel error that carries the completion error.',
  },
  {
    id: 'C10',
    behaviour:
      'Waiting to read or to write ends with no after a plain completion, and throws the bare completion error otherwise.',
  },
  {
    id: 'C11',
    behaviour:
      'Reading everything yields what is buffered, then ends quietly or throws the bare completion error.',
  },
  {
    id: 'C12',
    behaviour:
      'A channel is completed once: trying again answers no, and insisting throws a closed-channel error.',
  },
  {
    id: 'C13',
    behaviour:
      'Completion is a single task that stays pending until the channel is both completed and empty.',
  },
  {
    id: 'C14',
    behaviour:
      'What was buffered can be read after any completion, and an error shows only once nothing is left.',
  },
  {
    id: 'C15',
    behaviour:
      'Completion ends as the channel was completed: in success, with the very error, or as cancelled.',
  },
  {
    id: 'C16',
    behaviour: 'After completion with a cancellation, reads and writes are cancelled with it, unwrapped.',
  },
  { id: 'C17', behaviour: 'A failed completion that nobody awaits is no unobserved error.' },
  { id: 'C18', behaviour: 'Completion settles before those who wait on the channel are let go.' },
  {
    id: 'C19',
    behaviour:
      'Completing lets go of everyone who waits: reads and writes with a closed-channel error, the others with no or the bare error.',
  },
  { id: 'C20', behaviour: 'The item of a writer who still waits at completion is discarded.' },
  {
    id: 'C21',
    behaviour: 'A token that is already cancelled comes before everything else: data, space and completion.',
  },
  {
    id: 'C22',
    behaviour:
      'Cancelling a pending read costs no item: the next one goes to another reader or to the buffer.',
  },
  {
    id: 'C23',
    behaviour: 'The item of a cancelled write never arrives, and writers behind it keep their order.',
  },
  {
    id: 'C24',
    behaviour: 'Being told that one can read or write reserves nothing: somebody else may be quicker.',
  },
  { id: 'C25', behaviour: 'All who wait to be told are told together.' },
  {
    id: 'C26',
    behaviour:
      'Reading everything starts afresh with each call, begins at its first step, shares items with other consumers, and stays ended.',
  },
  {
    id: 'C27',
    behaviour:
      'Reading everything throws under a token cancelled before its first step or while it waits, and is then over.',
  },
  {
    id: 'C28',
    behaviour:
      'Reading everything looks at its token only when the buffer is empty, so buffered items still come after a cancellation.',
  },
  { id: 'C29', behaviour: 'Leaving such a loop early takes nothing more and completes nothing.' },
  { id: 'C30', behaviour: 'Every way of reading is done at once when an item is there.' },
  { id: 'C31', behaviour: 'Between one producer and one consumer the order is kept.' },
  {
    id: 'C32',
    behaviour: 'Peeking shows the next item and leaves it, also after completion, on every built-in channel.',
  },
  {
    id: 'C33',
    behaviour:
      'Every channel can count its items but the unbounded one with a single reader, where counting throws.',
    difference: { kind: 'beyond', reason: 'Every channel counts: the exception does not exist.' },
  },
  { id: 'C34', behaviour: 'The count is of buffered items, without those of writers who wait.' },
  {
    id: 'C35',
    behaviour:
      "A user's own channel inherits defaults: a completion that never settles, no counting, no peeking, and reads and writes made of the waits and the tries.",
    difference: {
      kind: 'notApplicable',
      reason:
        '`ChannelReader` and `ChannelWriter` are interfaces. A class that implements them brings every method itself, and the compiler names those that are missing.',
    },
  },
  {
    id: 'C36',
    behaviour:
      'Continuations run after the call that released them has returned, unless they were allowed to run inline.',
    difference: {
      kind: 'differs',
      reason:
        'A promise never runs its continuations inline, so there is nothing to allow: it is always as with the default.',
    },
  },
  {
    id: 'C37',
    behaviour: 'A full channel that waits refuses a try-write, and keeps writes and waits to write pending.',
  },
  {
    id: 'C38',
    behaviour:
      'A read gives its slot to the oldest blocked writer in the same step, so nobody who comes later slips in.',
  },
  {
    id: 'C39',
    behaviour:
      'Those who wait to write are told of space only when no blocked writer takes it, and then all of them.',
  },
  { id: 'C40', behaviour: 'Blocked readers and blocked writers are served in the order in which they came.' },
  {
    id: 'C41',
    behaviour:
      'An item for a reader who waits is handed over directly and never enters the buffer or the count.',
  },
  { id: 'C42', behaviour: 'A pending read is served before those who wait to read, who are then not told.' },
  {
    id: 'C43',
    behaviour: 'Those who wait to read are told when the first item comes into an empty buffer.',
  },
  {
    id: 'C44',
    behaviour: 'Waiting to write is over at once while there is space, or a reader who waits.',
  },
  {
    id: 'C45',
    behaviour:
      'The capacity strictly bounds what is buffered; any number of writers may be blocked beside it.',
  },
  { id: 'C46', behaviour: 'In the drop modes no write ever waits, and all of them succeed.' },
  { id: 'C47', behaviour: 'Dropping the oldest removes from the head, so that the last items remain.' },
  {
    id: 'C48',
    behaviour:
      'Dropping the newest removes what was buffered last, so that the first items and the latest remain.',
  },
  { id: 'C49', behaviour: 'Dropping the write discards the item being written, and reports success.' },
  {
    id: 'C50',
    behaviour:
      'The drop callback hears of each dropped item once, and of nothing while there is room or when writers wait.',
  },
  {
    id: 'C51',
    behaviour:
      'The drop callback is called inside the write, when the channel is already in its new state, and may use the channel.',
  },
  { id: 'C52', behaviour: 'The drop callback may be left out.' },
  {
    id: 'C53',
    behaviour: 'What the drop callback throws comes out of the write, which has taken effect all the same.',
  },
  {
    id: 'C54',
    behaviour: 'Items discarded by completion or by a cancelled write are no drops.',
  },
  { id: 'C55', behaviour: 'An unbounded channel takes every write at once until it is completed.' },
  {
    id: 'C56',
    behaviour:
      'With a single reader promised, a second read at the same time cancels the first and takes its place.',
    difference: { kind: 'notApplicable', reason: oneReader },
  },
  {
    id: 'C57',
    behaviour:
      'With a single reader promised, a cancelled read does not spoil the plain end that a waiting reader is told of.',
    difference: { kind: 'beyond', reason: 'It holds for every kind of channel.' },
  },
  { id: 'C58', behaviour: 'Reading and completing at the same time settles completion in every case.' },
  {
    id: 'C59',
    behaviour: 'A prioritized channel gives the smallest item first, by its natural order or by a given one.',
    difference: {
      kind: 'differs',
      reason:
        'The order has to be given, as `compare`: values of JavaScript have no natural order that would fit.',
    },
  },
  {
    id: 'C60',
    behaviour: 'Among equal priorities nothing is promised about the order.',
    difference: {
      kind: 'beyond',
      reason: 'Equals come out in the order in which they went in.',
      decision: channelsDiffer,
    },
  },
  {
    id: 'C61',
    behaviour: 'A reader who already waits gets whatever is written next, whatever its priority.',
  },
  { id: 'C62', behaviour: 'A prioritized channel can be counted, and peeking shows its smallest item.' },
  {
    id: 'C63',
    behaviour: 'A prioritized channel is always unbounded.',
    difference: {
      kind: 'beyond',
      reason: 'With a `capacity` it is bounded, in every full mode; drops go by age and not by priority.',
      decision: channelsDiffer,
    },
  },
  { id: 'C64', behaviour: 'A channel without a buffer counts 0 whoever waits.' },
  {
    id: 'C65',
    behaviour: 'Without a buffer a try-write needs a pending read, and a try-read a pending write.',
  },
  {
    id: 'C66',
    behaviour: 'Without a buffer a write is done when a reader has its item; both sides are paired in order.',
  },
  {
    id: 'C67',
    behaviour:
      'Without a buffer a waiting writer is told of a pending read, and a waiting reader of a pending write; two who only wait never meet.',
    difference: {
      kind: 'differs',
      reason:
        'The same, but an iteration that waits counts as a pending read, so `for await` meets a writer who only waits.',
      decision: channelsDiffer,
    },
  },
  {
    id: 'C68',
    behaviour:
      'Without a buffer every drop mode hands the item to a pending read, and drops the written item otherwise.',
  },
  { id: 'C69', behaviour: 'Without a buffer peeking shows the item of the writer who is next.' },
  {
    id: 'C70',
    behaviour: 'Without a buffer completing settles completion at once, and refuses the writers who wait.',
  },
];

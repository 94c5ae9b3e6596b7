/** How we stand to a behaviour of .NET that the tests alone do not prove as it is. */
export interface Difference {
  /**
   * `notApplicable`: JavaScript or Nest has nothing that it could be a rule of.
   * `differs`: we do something else on purpose; a test titled with the ID proves what.
   * `beyond`: we keep the rule and go further.
   */
  kind: 'notApplicable' | 'differs' | 'beyond';
  /** Whole sentences, as they stand on the page. */
  reason: string;
  /** The file in docs/decisions that tells why, without `.md`. */
  decision?: string;
}

/** One behaviour of .NET's hosting, workers, timers, scopes or channels, and how we stand to it. */
export interface Behaviour {
  /** Its family's letter and its number there: `C38`. Specs begin their titles with it. */
  id: string;
  /** What .NET does, in one short sentence. */
  behaviour: string;
  /** Absent when it is mirrored, which the specs titled with its ID prove. */
  difference?: Difference;
}

/** Counts of a transaction layer. */
/** What a layer has done on its own, since it was made. */
export interface TransactionCounters {
  /** Requests answered 503 because of a cap. */
  overloaded: number
  /** Outgoing requests refused because of a cap. */
  refused: number
  /** Finished transactions forgotten before their time because of a cap. */
  forgotten: number
  /** Requests answered 482 because they had come before by another way. */
  merged: number
  /** CANCELs answered 481. */
  unmatchedCancels: number
  /** Transactions ended by an error of this program; anything but zero is a bug. */
  invariantsBroken: number
}

/** All zero. */
export function zeroCounters(): TransactionCounters {
  return { overloaded: 0, refused: 0, forgotten: 0, merged: 0, unmatchedCancels: 0, invariantsBroken: 0 }
}

/** What a fuzzer finds: a promise that was not kept. */

/** Thrown by oracles. `oracle` names the promise; it stays the same while an input is made smaller. */
export class OracleFailure extends Error {
  override readonly name = 'OracleFailure'

  constructor(
    readonly oracle: string,
    detail: string,
  ) {
    super(`${oracle}: ${detail}`)
  }
}

/** A failure of one case, with all that is needed to see it again. */
export interface Failure {
  readonly target: string
  /** The case as `--case` takes it. */
  readonly caseId: string
  readonly oracle: string
  readonly message: string
  readonly input: Uint8Array
  /** The same failure in fewer bytes, when there is one. */
  readonly small?: Uint8Array
}

/** Throws when a promise is not kept. The detail is made only then. */
export function must(isKept: boolean, oracle: string, detail: () => string): asserts isKept {
  if (!isKept) throw new OracleFailure(oracle, detail())
}

/** Names an exception as an oracle does: what must not throw threw. */
export function failureOf(thrown: unknown): OracleFailure {
  if (thrown instanceof OracleFailure) return thrown
  if (!(thrown instanceof Error)) return new OracleFailure('throws', String(thrown))
  return new OracleFailure(`throws ${thrown.name} ${thrown.message.slice(0, 60)}`, thrown.stack ?? thrown.message)
}

/** Bytes for a report: printable ones as they are, others escaped, the middle of long inputs left out. */
export function shown(bytes: Uint8Array | string, lengthMax = 600): string {
  const text = JSON.stringify(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1'))
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax / 2)} … ${text.slice(-lengthMax / 2)}`
}

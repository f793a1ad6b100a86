/**
 * How codecs give up: they throw a light object that never leaves this package, so that the well-formed path stays
 * straight; `attempt` turns it into a Result at the edge.
 */
import { type ProblemCode, problem, type Result } from '../errors'

/** Thrown by codecs, caught by {@link attempt} and by the message's getters. Not an Error: it carries no stack. */
export class DecodeFailure {
  constructor(
    readonly code: ProblemCode,
    /** Position in the text that the codec was given. */
    readonly at: number,
  ) {}
}

/** Ends a codec with a problem at a position of its text. */
export function fail(code: ProblemCode, at: number): never {
  throw new DecodeFailure(code, at)
}

/** Runs a codec and reports its failure as a Result. */
export function attempt<T>(run: () => T, header?: string): Result<T> {
  try {
    return { ok: true, value: run() }
  } catch (thrown) {
    if (!(thrown instanceof DecodeFailure)) throw thrown
    return { ok: false, error: problem(thrown.code, thrown.at, header) }
  }
}

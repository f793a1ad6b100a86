/**
 * What an interop case is and what it is given.
 */
import type { Server } from './support/server.ts'

/** What the runner gives to a case. */
export interface CaseContext {
  /** The running server; one for all cases that do not end it. */
  readonly server: Server
  /** A directory of its own, removed afterwards. */
  readonly workDir: string
}

/** One named scenario. It passes when `run` resolves. */
export interface InteropCase {
  readonly name: string
  /** True when the case stops the server: it gets one of its own. */
  readonly endsServer?: boolean
  run(context: CaseContext): Promise<void>
}

/** What can be fuzzed. */
import type { SeededGenerator } from '@carillon/sip-parser/testing'
import type { Probe } from './probe.ts'

/** The names that the command takes. */
export const targetNames = ['message', 'uri', 'sdp', 'sdp-rewrite', 'stream', 'rtp', 'rtcp', 'srtp'] as const

/** One of {@link targetNames}. */
export type TargetName = (typeof targetNames)[number]

/** A part of the parser, how to make input for it, and what it promises. */
export interface Target {
  readonly name: TargetName
  /** Well-formed input to begin with, beside what the corpus holds. */
  readonly seeds: readonly Uint8Array[]
  /** A changed copy of an input. Depends on nothing but its arguments. */
  mutate(input: Uint8Array, generator: SeededGenerator, donors: readonly Uint8Array[]): Uint8Array
  /** Throws when a promise is not kept. Depends on nothing but the input, so that an input alone shows a failure again. */
  check(input: Uint8Array, probe: Probe): void
}

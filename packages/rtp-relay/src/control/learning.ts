/** What an offer or an answer says of how its party's endpoints are learned. */
import type { LearningMode, LearningPolicy } from '../relay/latching'

/** What each costs is in docs/THREATS.md. What is absent stays as last said for the party. */
export interface LearningOptions {
  /** How this party's endpoint is learned; at first `heuristic`. */
  readonly endpointLearning?: LearningMode
  /** False: media of other sources than the confirmed one is let in too, but nothing is sent there; at first true. */
  readonly strictSource?: boolean
  /** True: a source that fits as well may take the place of the confirmed one; at first false. */
  readonly mediaHandover?: boolean
}

/** The same as the relay keeps it. */
export function learningOf({
  endpointLearning,
  strictSource,
  mediaHandover,
}: LearningOptions): Partial<LearningPolicy> {
  return {
    ...(endpointLearning === undefined ? {} : { mode: endpointLearning }),
    ...(strictSource === undefined ? {} : { isStrictSource: strictSource }),
    ...(mediaHandover === undefined ? {} : { isHandoverAllowed: mediaHandover }),
  }
}

/**
 * Which challenges a peer is shown. A peer is to ignore a challenge whose algorithm it does not know and to take another
 * (RFC 3261 §22.1, RFC 8760 §2.4); some give up instead, as soon as one such challenge is there. Those are shown the
 * MD5 challenge alone. Nothing is weakened for anybody else: whoever could write another User-Agent into a phone's
 * request could also answer it. Pure.
 */
import type { Challenge } from '@carillon/sip-parser'

/** Peers that were seen to give up. */
const MD5_ONLY: readonly RegExp[] = [
  // libre before SHA-256: "Function not implemented" for any other algorithm, wherever it stands.
  /^baresip v?[01]\./i,
  // Reads the first algorithm only.
  /^sipp\b/i,
  /^sipsak\b/i,
]

/**
 * The challenges to show to a peer with this User-Agent, in order.
 * Without a User-Agent it is a test tool (SIPp has none unless its scenario writes one), not a phone.
 */
export function challengesFor(userAgent: string | undefined, challenges: readonly Challenge[]): readonly Challenge[] {
  if (userAgent !== undefined && !MD5_ONLY.some((pattern) => pattern.test(userAgent))) return challenges
  const simple = challenges.filter((challenge) => (challenge.algorithm ?? 'MD5') === 'MD5')
  return simple.length === 0 ? challenges : simple
}

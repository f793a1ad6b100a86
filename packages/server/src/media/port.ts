/**
 * The media port: what signalling asks of whoever carries the media. A backend may be in this process, in another, or
 * on another machine; signalling does not know.
 */
import type { SdpAnchor } from '@carillon/sip-transaction'

/** What one side sent during a call. */
export interface MediaDirection {
  readonly packets: number
  readonly bytes: number
  /** Packets that never came (RFC 3550 §A.3). */
  readonly lost: number
  /** Interarrival jitter (RFC 3550 §6.4.1), in milliseconds; of the worst stream where there are several. */
  readonly jitterMs: number
}

/** Both directions of a call's media: what side `a` sent, and what side `b` sent. */
export interface MediaReport {
  readonly a: MediaDirection
  readonly b: MediaDirection
}

/** The media of one call. */
export interface MediaSession {
  /** Rewrites the SDP of both sides so that the media passes through the backend. */
  readonly anchor: SdpAnchor
  /** What has passed so far; after the end, what had passed by then. Rejects when the backend cannot tell. */
  report(): Promise<MediaReport>
}

/** Counts of a backend. */
export interface MediaStats {
  readonly sessions: number
  readonly portsFree: number
}

/**
 * How a phone is offered media: `as-offered` what the other phone offers, `off` plain RTP, `on` SRTP and nothing else,
 * `best-effort` plain RTP with keys that it may take (RFC 8643).
 */
export type SrtpPolicy = (typeof SRTP_POLICIES)[number]

/** Every {@link SrtpPolicy}. */
export const SRTP_POLICIES = ['as-offered', 'off', 'on', 'best-effort'] as const

/** What is known of one side of a call. */
export interface MediaParty {
  /** Where its signalling comes from: media from there is more likely its than media from elsewhere. */
  readonly address?: string
  /** `as-offered` when absent. */
  readonly srtp?: SrtpPolicy
}

/** What is known of the two sides of a call. */
export interface MediaParties {
  readonly a: MediaParty
  readonly b: MediaParty
}

/** Carries media. */
export interface MediaBackend {
  /** Opens the media of one call. Takes no ports yet. Throws when the backend is full. */
  openSession(id: string, parties: MediaParties): MediaSession
  /** Has the listener called with the id of each session in which neither side has sent anything for too long. */
  onSilence(listener: (id: string) => void): void
  /** Has the listener called with the id of each session whose media the backend cannot carry any more. */
  onFailure(listener: (id: string) => void): void
  stats(): MediaStats
  /** Ends every session and gives all ports back. */
  close(): Promise<void>
}

/**
 * The media backend in this process: the RTP relay of @carillon/rtp-relay.
 */
import {
  createRelay,
  type LegSnapshot,
  type MediaAnchor,
  type Relay,
  RelayError,
  type RelayErrorCode,
  type SessionSnapshot,
} from '@carillon/rtp-relay'
import type { SdpAnchor } from '@carillon/sip-transaction'
import type { Config, MediaInterface } from '../../../config'
import { ServerError } from '../../../errors'
import type { MediaBackend, MediaDirection, MediaParties, MediaReport, MediaSession, MediaStats } from '../../port'
import { SrtpTerms } from './srtp-terms'

/** An offer is given up this much after the ringing, so that the ringing decides. */
const OFFER_MARGIN_MS = 30_000

/**
 * Opens the relay.
 *
 * @throws ServerError with code MEDIA_FAILED
 */
export async function openEmbeddedMedia(config: Config, interfaces: readonly MediaInterface[]): Promise<MediaBackend> {
  const { ports, silenceTimeoutMs, workers } = config.media
  try {
    const relay = await createRelay({
      interfaces,
      portMin: ports.min,
      portMax: ports.max,
      silenceTimeoutMs,
      workers,
      limits: { sessionsMax: config.calls.max },
      offerTimeoutMs: config.calls.ringTimeoutMs + OFFER_MARGIN_MS,
    })
    return new EmbeddedMedia(relay)
  } catch (error) {
    const where = interfaces.map((item) => item.address).join(', ')
    throw new ServerError('MEDIA_FAILED', `cannot relay media on ${where}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

class EmbeddedMedia implements MediaBackend {
  readonly #relay: Relay

  constructor(relay: Relay) {
    this.#relay = relay
  }

  openSession(id: string, parties: MediaParties): MediaSession {
    const session = this.#relay.createSession(id)
    const terms = new SrtpTerms(parties)
    const anchor = this.#relay.anchor(session, { receivedFrom: addressesOf(parties), towards: terms.towards })
    return { anchor: withStatus(anchor, terms), report: async () => reportOf(await session.snapshot()) }
  }

  onSilence(listener: (id: string) => void): void {
    this.#relay.on('session-timeout', ({ sessionId }) => listener(sessionId))
  }

  onFailure(listener: (id: string) => void): void {
    this.#relay.on('session-closed', ({ sessionId, reason }) => {
      if (reason === 'worker-crashed') listener(sessionId)
    })
  }

  stats(): MediaStats {
    return { sessions: this.#relay.sessions, portsFree: this.#relay.portsFree }
  }

  close(): Promise<void> {
    return this.#relay.close()
  }
}

/** Failures that are the relay's and not the caller's: it may try again. */
const TEMPORARY: ReadonlySet<string> = new Set<RelayErrorCode>([
  'PORTS_EXHAUSTED',
  'SOCKET_FAILED',
  'SESSION_CLOSED',
  'WORKER_CRASHED',
  'WORKER_TIMEOUT',
  'RELAY_CLOSED',
])

function addressesOf({ a, b }: MediaParties): { a?: string; b?: string } {
  return {
    ...(a.address === undefined ? {} : { a: a.address }),
    ...(b.address === undefined ? {} : { b: b.address }),
  }
}

/** Tells the signalling which failures are temporary, and the terms who has offered. */
function withStatus(anchor: MediaAnchor, terms: SrtpTerms): SdpAnchor {
  const explain = (error: unknown): never => {
    if (error instanceof RelayError && TEMPORARY.has(error.code)) throw Object.assign(error, { status: 503 })
    throw error
  }
  return {
    offer: (side, sdp) => {
      terms.offeredBy(side)
      return anchor.offer(side, sdp).catch(explain)
    },
    answer: (side, sdp) => anchor.answer(side, sdp).catch(explain),
    release: () => anchor.release(),
  }
}

/** Sums the streams of each side. */
function reportOf(snapshot: SessionSnapshot): MediaReport {
  return {
    a: snapshot.streams.reduce((sum, stream) => add(sum, stream.a), NOTHING),
    b: snapshot.streams.reduce((sum, stream) => add(sum, stream.b), NOTHING),
  }
}

const NOTHING: MediaDirection = { packets: 0, bytes: 0, lost: 0, jitterMs: 0 }

function add(sum: MediaDirection, leg: LegSnapshot | undefined): MediaDirection {
  if (!leg) return sum
  return {
    packets: sum.packets + leg.packets,
    bytes: sum.bytes + leg.bytes,
    lost: sum.lost + leg.lost,
    jitterMs: Math.max(sum.jitterMs, leg.jitterMs),
  }
}

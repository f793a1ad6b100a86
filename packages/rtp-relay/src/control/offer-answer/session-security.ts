/** The security of a session's media: what the pure negotiation decides, put into the ciphers of the legs. */
import type { Leg, Side } from '../../relay/leg'
import type { MediaSession } from '../../relay/session'
import type { Stream } from '../../relay/stream'
import { SrtpReceiver } from '../../srtp/receiver'
import { SrtpSender } from '../../srtp/sender'
import { type LegKeys, MediaSecurity, type SecurityOptions, type SecurityRewrite, type SecurityView } from './security'

interface LegCiphers {
  readonly keys: LegKeys
  readonly receiver: SrtpReceiver
  readonly sender: SrtpSender
  /** The receiver before this one: packets under its keys may still be on their way. */
  readonly former: SrtpReceiver | undefined
}

interface StreamSecurity {
  readonly negotiation: MediaSecurity
  readonly ciphers: { [S in Side]: LegCiphers | undefined }
  /** SRTP goes through with keys that are not ours; undefined before the first answer. */
  isPassThrough: boolean | undefined
}

/** Negotiates each medium and keeps its ciphers, which live on as long as the keys stay the same. */
export class SessionSecurity {
  private readonly streams: StreamSecurity[] = []

  constructor(
    private readonly media: MediaSession,
    private readonly randomBytes: (count: number) => Uint8Array,
  ) {}

  /** What to offer the other side, medium by medium; `isWanted` leaves those out that are refused anyway. */
  offer(
    from: Side,
    views: readonly (SecurityView & { readonly isRejected: boolean })[],
    options: SecurityOptions,
  ): SecurityRewrite[] {
    return views.map((view, index) => {
      if (view.isRejected) return { protocol: view.protocol, cryptos: undefined }
      return this.at(index).negotiation.offer(from, view, options)
    })
  }

  /** What to answer the offerer. All media are judged before any of them changes; a refusal leaves them as they are. */
  answer(
    views: readonly (SecurityView & { readonly isRejected: boolean })[],
    isActive: (index: number) => boolean,
  ): (SecurityRewrite | undefined)[] {
    for (const [index, view] of views.entries()) {
      if (!view.isRejected && isActive(index)) this.at(index).negotiation.check(view)
    }
    return views.map((view, index) => {
      const stream = this.media.streams[index]
      if (view.isRejected || !isActive(index) || stream === undefined) return undefined
      const security = this.at(index)
      const verdict = security.negotiation.answer(view)
      for (const side of ['a', 'b'] as const) this.change(security, side, verdict.keys[side])
      security.isPassThrough = verdict.isPassThrough
      return verdict.rewrite
    })
  }

  /** Gives the legs of a stream their ciphers; a leg that was replaced takes over those of the one before. */
  apply(index: number, stream: Stream): void {
    const security = this.streams[index]
    if (security === undefined) return
    if (security.isPassThrough !== undefined) stream.isRtcpReadable = !security.isPassThrough
    for (const leg of [stream.a, stream.b]) if (leg !== undefined) this.equip(leg, security)
  }

  /** Forgets every key. */
  close(): void {
    for (const { ciphers } of this.streams) {
      for (const one of [ciphers.a, ciphers.b]) {
        one?.receiver.close()
        one?.former?.close()
        one?.sender.close()
      }
      ciphers.a = undefined
      ciphers.b = undefined
    }
    this.streams.length = 0
  }

  private at(index: number): StreamSecurity {
    while (this.streams.length <= index) {
      this.streams.push({
        negotiation: new MediaSecurity(this.randomBytes),
        ciphers: { a: undefined, b: undefined },
        isPassThrough: undefined,
      })
    }
    return this.streams[index]!
  }

  private equip(leg: Leg, { negotiation, ciphers }: StreamSecurity): void {
    const { [leg.side]: own } = ciphers
    leg.srtpIn = own?.receiver
    leg.formerSrtpIn = own?.former
    leg.srtpOut = own?.sender
    leg.isSecured = own !== undefined || negotiation.isAwaitingKeys(leg.side)
  }

  private change({ ciphers }: StreamSecurity, side: Side, keys: LegKeys | undefined): void {
    const { [side]: present } = ciphers
    if (present?.keys === keys) return
    if (keys === undefined) {
      present?.receiver.close()
      present?.former?.close()
      present?.sender.close()
      ciphers[side] = undefined
      return
    }
    const isTheirsSame = present !== undefined && present.keys.theirs === keys.theirs
    const isOursSame = present !== undefined && present.keys.ours === keys.ours
    if (!isTheirsSame) present?.former?.close()
    if (present !== undefined && !isOursSame) present.sender.close()
    ciphers[side] = {
      keys,
      receiver: isTheirsSame ? present.receiver : new SrtpReceiver(keys.theirs),
      former: isTheirsSame ? present.former : present?.receiver,
      sender: isOursSame ? present.sender : new SrtpSender(keys.ours),
    }
  }
}

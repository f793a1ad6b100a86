/** The security of a session's media: what the pure negotiation decides, put into the ciphers of the legs. */

import type { BranchMedia } from '../../relay/branch-media'
import type { Leg, Side } from '../../relay/leg'
import type { Stream } from '../../relay/stream'
import { SrtpReceiver } from '../../srtp/receiver'
import { isSameCrypto, materialsOf } from '../../srtp/sdes'
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
  /**
   * Those that answers to the offer at hand have used: a branch that answers again goes on where it was, for no index may
   * ever be used twice with one key (RFC 3711 §9.1).
   */
  used: readonly LegCiphers[]
  /** SRTP goes through with keys that are not ours; undefined before the first answer. */
  isPassThrough: boolean | undefined
}

/** Negotiates each medium and keeps its ciphers, which live on as long as the keys stay the same. */
export class BranchSecurity {
  private streams: readonly StreamSecurity[] = []

  constructor(
    private readonly media: BranchMedia,
    private readonly randomBytes: (count: number) => Uint8Array,
  ) {}

  /**
   * What to offer the other side, medium by medium. Nothing changes before `commit`.
   * @throws RelayError CRYPTO_UNUSABLE
   */
  offer(
    from: Side,
    views: readonly (SecurityView & { readonly isRejected: boolean })[],
    options: SecurityOptions,
  ): { readonly rewrites: SecurityRewrite[]; commit(): void } {
    const plans = views.map((view, index) =>
      view.isRejected ? undefined : this.at(index).negotiation.offer(from, view, options),
    )
    return {
      rewrites: plans.map(
        (plan, index) => plan?.rewrite ?? { protocol: views[index]?.protocol ?? '', cryptos: undefined },
      ),
      commit: () => {
        for (const [index, plan] of plans.entries()) {
          plan?.commit()
          if (plan !== undefined) this.forget(this.at(index))
        }
      },
    }
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
    for (const security of this.streams) {
      security.ciphers.a = undefined
      security.ciphers.b = undefined
      this.forget(security)
      security.negotiation.close()
    }
    this.streams = []
  }

  /** Forgets the keys of answers to a former offer, but not those in force. */
  private forget(security: StreamSecurity): void {
    const { ciphers, used } = security
    const kept = [ciphers.a, ciphers.b].filter((one) => one !== undefined)
    const needed = new Set<unknown>(kept.flatMap(({ receiver, former, sender }) => [receiver, former, sender]))
    security.used = kept
    for (const { receiver, former, sender } of used) {
      for (const one of [receiver, former, sender]) if (one !== undefined && !needed.has(one)) one.close()
    }
  }

  private at(index: number): StreamSecurity {
    while (this.streams.length <= index) {
      const negotiation = new MediaSecurity(this.randomBytes)
      const fresh = { negotiation, ciphers: { a: undefined, b: undefined }, used: [], isPassThrough: undefined }
      // An array that is pushed to has room for sixteen more.
      this.streams = [...this.streams, fresh]
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

  private change(security: StreamSecurity, side: Side, keys: LegKeys | undefined): void {
    const { ciphers, used } = security
    const { [side]: present } = ciphers
    if (present?.keys === keys) return
    if (keys === undefined) {
      ciphers[side] = undefined
      return
    }
    const { ours, theirs } = keys
    const same = used.find((one) => one.keys.ours === ours && isSameCrypto(one.keys.theirs, theirs))
    if (same !== undefined) {
      ciphers[side] = same
      return
    }
    const sender = used.find((one) => one.keys.ours === ours)?.sender ?? new SrtpSender(ours)
    const known = used.find((one) => isSameCrypto(one.keys.theirs, theirs))?.receiver
    const receiver = known ?? new SrtpReceiver(materialsOf(theirs) ?? [])
    const former = present?.receiver === receiver ? present.former : present?.receiver
    const made = { keys, sender, receiver, former }
    security.used = [...used, made]
    ciphers[side] = made
  }
}

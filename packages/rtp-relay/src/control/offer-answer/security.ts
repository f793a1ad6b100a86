/**
 * Who encrypts with which keys, for one medium of a session: the offers and answers of both sides (RFC 3264) with their
 * crypto attributes (RFC 4568) and protocols, best effort among them (RFC 8643). Pure: chance comes in.
 *
 * Each side has keys of its own with the relay. There is no way from encrypted to plain that nobody asked for: a side
 * that was offered SRTP and answers without it is refused.
 */
import type { CryptoAttribute } from '@carillon/sip-parser/sdp'
import { RelayError } from '../../errors'
import { oppositeOf, type Side } from '../../relay/leg'
import type { SrtpMaterial } from '../../srtp/material'
import { cryptoOf, generateMaterial, isSameCrypto, materialsOf, suiteOf, usualSuites } from '../../srtp/sdes'
import type { SrtpSuiteName } from '../../srtp/suites'

/** A protocol that the relay may be asked to speak with a side. */
export type TransportProtocol = 'RTP/AVP' | 'RTP/SAVP' | 'RTP/AVPF' | 'RTP/SAVPF'

/** What is asked for the side that is offered to. */
export interface SecurityOptions {
  /** The protocol of the m= line; that of the offer by default. */
  readonly transportProtocol?: TransportProtocol
  /** Keys of the relay's own for SRTP: these suites are offered, the first is preferred. */
  readonly sdes?: { readonly suites?: readonly SrtpSuiteName[] }
  /** Offer keys with a plain protocol: whoever knows them encrypts, others do not (RFC 8643). */
  readonly bestEffort?: boolean
}

/** What one description says of a medium's security. */
export interface SecurityView {
  readonly protocol: string
  readonly cryptos: readonly CryptoAttribute[]
}

/** What is to be written into the description for the other side. */
export interface SecurityRewrite {
  readonly protocol: string
  /** In place of all crypto attributes; undefined leaves those that came. */
  readonly cryptos: readonly CryptoAttribute[] | undefined
}

/** What an offer would lead to. */
export interface SecurityPlan {
  readonly rewrite: SecurityRewrite
  /** The offer goes out: from now on its answer is waited for. */
  commit(): void
}

/** The keys of one leg; both are there, or neither. */
export interface LegKeys {
  readonly ours: SrtpMaterial
  /** What the side encrypts with, as it stands in SDP; one of which `materialsOf` can make keys. */
  readonly theirs: CryptoAttribute
}

/** What an answer settles. */
export interface SecurityVerdict {
  readonly rewrite: SecurityRewrite
  /** Keys by side; undefined where that side is plain, or has its keys from the other side. */
  readonly keys: { readonly [S in Side]: LegKeys | undefined }
  /** True when SRTP goes through as it is, with keys that the relay does not hold. */
  readonly isPassThrough: boolean
}

interface Pending {
  readonly from: Side
  readonly protocol: string
  readonly otherProtocol: string
  /** Undefined: keys pass through. */
  readonly terms: Terms | undefined
}

interface Terms {
  /** Of the offerer, where it encrypts. */
  readonly chosen: CryptoAttribute | undefined
  /** What the other side was offered, by tag. */
  readonly offered: readonly Offered[]
}

interface Offered {
  readonly tag: number
  readonly material: SrtpMaterial
}

const tagsMax = 16
const nothing: readonly Offered[] = []

/** The security of one medium. */
export class MediaSecurity {
  private readonly current: { [S in Side]: LegKeys | undefined } = { a: undefined, b: undefined }
  /** What each side speaks, from the last answer on. */
  private readonly protocols: { [S in Side]: string | undefined } = { a: undefined, b: undefined }
  private pending: Pending | undefined
  /** What was last asked for a side, which later offers without a word of it mean too. */
  private readonly suites: { [S in Side]: readonly SrtpSuiteName[] } = { a: usualSuites, b: usualSuites }
  /** The offer at hand has been answered once. */
  private isSettled = false

  constructor(private readonly randomBytes: (count: number) => Uint8Array) {}

  /**
   * An offer has come from a side; what to offer the other one. Nothing changes before the plan is committed, and what is
   * in force stays until the answer.
   * @throws RelayError CRYPTO_UNUSABLE when SRTP is offered and none of its keys can be used
   */
  offer(from: Side, view: SecurityView, options: SecurityOptions): SecurityPlan {
    const { protocol, cryptos } = view
    const to = oppositeOf(from)
    const isAsBefore = this.current.a !== undefined || this.current.b !== undefined
    const usual = isAsBefore ? (this.protocols[to] ?? protocol) : protocol
    const otherProtocol = isRtp(protocol) ? (options.transportProtocol ?? usual) : protocol
    const { sdes } = options
    const isKeyed = this.current[to] !== undefined
    const bestEffort = options.bestEffort ?? isKeyed
    const isTheirs = cryptos.length > 0 || isSecure(protocol)
    const isForOther = isSecure(otherProtocol) || (bestEffort && isRtp(otherProtocol))
    const isTaken = sdes !== undefined || bestEffort || isAsBefore || isSecure(protocol) !== isSecure(otherProtocol)
    if (!isRtp(protocol) || !isTaken || !(isTheirs || isForOther)) {
      const commit = (): void => this.wait({ from, protocol, otherProtocol, terms: undefined })
      return { rewrite: { protocol: otherProtocol, cryptos: undefined }, commit }
    }
    const chosen = this.choose(from, cryptos)
    if (chosen === undefined && isSecure(protocol)) throw new RelayError('CRYPTO_UNUSABLE')
    const offered = isForOther ? this.offeredTo(to, sdes?.suites) : nothing
    const rewrite = {
      protocol: otherProtocol,
      cryptos: offered.map(({ tag, material }) => cryptoOf(material, tag)),
    }
    const commit = (): void => {
      this.suites[to] = sdes?.suites ?? this.suites[to]
      this.wait({ from, protocol, otherProtocol, terms: { chosen, offered } })
    }
    return { rewrite, commit }
  }

  /** True while a side has been offered encryption, or offers it, and no answer has said with which keys. */
  isAwaitingKeys(side: Side): boolean {
    const { pending } = this
    if (pending?.terms === undefined || this.current[side] !== undefined) return false
    return isSecure(side === pending.from ? pending.protocol : pending.otherProtocol) && !this.isSettled
  }

  /**
   * Looks whether an answer is one to what was offered, and changes nothing.
   * @throws RelayError CRYPTO_MISMATCH as {@link answer}
   */
  check(view: SecurityView): void {
    const { pending } = this
    if (pending === undefined) throw new RelayError('NO_OFFER')
    const { from, otherProtocol, terms } = pending
    if (isRtp(otherProtocol) && isSecure(view.protocol) !== isSecure(otherProtocol)) {
      throw new RelayError('CRYPTO_MISMATCH', `${otherProtocol} was offered, ${view.protocol} answered`)
    }
    if (terms !== undefined) this.answered(oppositeOf(from), otherProtocol, view, terms)
  }

  /**
   * The other side has answered; again for further answers to the same offer.
   * @throws RelayError CRYPTO_MISMATCH when it does not answer what it was offered: a silent downgrade, or a key that
   * nobody offered
   */
  answer(view: SecurityView): SecurityVerdict {
    this.check(view)
    const { pending } = this
    if (pending === undefined) throw new RelayError('NO_OFFER')
    const { from, protocol, otherProtocol, terms } = pending
    const to = oppositeOf(from)
    this.isSettled = true
    this.protocols[from] = protocol
    this.protocols[to] = otherProtocol
    if (terms === undefined) {
      this.current.a = undefined
      this.current.b = undefined
      const isPassThrough = isSecure(protocol) || view.cryptos.length > 0
      return { rewrite: { protocol, cryptos: undefined }, keys: { ...this.current }, isPassThrough }
    }
    const answered = this.answered(to, otherProtocol, view, terms)
    const own = terms.chosen === undefined ? undefined : this.keysFor(from, terms.chosen)
    this.current[from] = own
    this.current[to] = answered
    const cryptos = own === undefined || terms.chosen === undefined ? [] : [cryptoOf(own.ours, terms.chosen.tag)]
    return { rewrite: { protocol, cryptos }, keys: { ...this.current }, isPassThrough: false }
  }

  /** Forgets every key. */
  close(): void {
    const offered = this.pending?.terms?.offered.map(({ material }) => material) ?? []
    for (const material of [this.current.a?.ours, this.current.b?.ours, ...offered]) {
      material?.masterKey.fill(0)
      material?.masterSalt.fill(0)
    }
    this.current.a = undefined
    this.current.b = undefined
    this.pending = undefined
  }

  private wait(pending: Pending): void {
    this.pending = pending
    this.isSettled = false
  }

  /** The line that is answered: the keys in use when they are offered again, else the first that can be used. */
  private choose(side: Side, cryptos: readonly CryptoAttribute[]): CryptoAttribute | undefined {
    const { [side]: current } = this.current
    const usable = cryptos.filter((crypto) => materialsOf(crypto) !== undefined)
    const known = current && usable.find((crypto) => isSameCrypto(crypto, current.theirs))
    return known ?? usable[0]
  }

  /**
   * What a side is offered: the keys in use, under the first tag, unless other suites are asked for now; then the suites
   * that were asked for.
   */
  private offeredTo(side: Side, asked: readonly SrtpSuiteName[] | undefined): readonly Offered[] {
    const ours = this.current[side]?.ours
    const kept = ours !== undefined && (asked === undefined || asked.includes(ours.suite)) ? ours : undefined
    const suites = new Set(asked ?? this.suites[side])
    if (kept !== undefined) suites.delete(kept.suite)
    const made = [...suites].map((suite) => generateMaterial(suite, this.randomBytes))
    const materials = kept === undefined ? made : [kept, ...made]
    return materials.slice(0, tagsMax).map((material, index) => ({ tag: index + 1, material }))
  }

  private answered(to: Side, protocol: string, view: SecurityView, terms: Terms): LegKeys | undefined {
    const [crypto, ...others] = view.cryptos
    if (crypto === undefined) {
      if (isSecure(protocol)) throw new RelayError('CRYPTO_MISMATCH', 'the answer has no key')
      return undefined
    }
    const ours = terms.offered.find(({ tag }) => tag === crypto.tag)?.material
    const isChosen = others.length === 0 && ours?.suite === crypto.suite && materialsOf(crypto) !== undefined
    if (!isChosen || ours === undefined) {
      throw new RelayError('CRYPTO_MISMATCH', 'the answer does not choose one of the offered keys')
    }
    return this.known(to, crypto, ours) ?? { ours, theirs: crypto }
  }

  private keysFor(side: Side, crypto: CryptoAttribute): LegKeys | undefined {
    const suite = suiteOf(crypto)
    if (suite === undefined || materialsOf(crypto) === undefined) return undefined
    const present = this.current[side]?.ours
    const ours = present?.suite === suite ? present : generateMaterial(suite, this.randomBytes)
    return this.known(side, crypto, ours) ?? { ours, theirs: crypto }
  }

  /** The keys in use, when these are the same: then the same object, so that counters go on. */
  private known(side: Side, crypto: CryptoAttribute, ours: SrtpMaterial): LegKeys | undefined {
    const { [side]: current } = this.current
    return current?.ours === ours && isSameCrypto(current.theirs, crypto) ? current : undefined
  }
}

function isRtp(protocol: string): boolean {
  return /^RTP\/S?AVPF?$/i.test(protocol)
}

function isSecure(protocol: string): boolean {
  return /^RTP\/SAVPF?$/i.test(protocol)
}

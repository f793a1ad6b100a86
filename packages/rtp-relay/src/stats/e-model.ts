/**
 * The E-model (ITU-T G.107, narrow band): a transmission rating R from loss, delay and codec, and the mean opinion score
 * (MOS) that it stands for. Everything the relay cannot see (echo, noise, loudness) has the default of the
 * recommendation, for which R is 93.2. Pure.
 */

/** What a codec does to speech (ITU-T G.113 Appendix I): impairment without loss, and robustness against loss. */
export interface CodecImpairment {
  /** Equipment impairment factor (Ie): 0 for a codec that loses nothing. */
  readonly impairment: number
  /** Packet-loss robustness factor (Bpl): the higher, the less a loss is heard. */
  readonly robustness: number
}

/** R of a call with nothing wrong, all parameters at their defaults. */
export const ratingMax = 93.2

function codec(impairment: number, robustness: number): CodecImpairment {
  return { impairment, robustness }
}

/** G.711 whose receiver plays nothing, or noise, for a lost packet. Most conceal: see {@link impairmentOf}. */
export const g711WithoutConcealment = codec(0, 4.3)

const g711 = codec(0, 25.1)
const enhancedFullRate = codec(5, 10)

/**
 * By encoding name in lower case. From G.113 Appendix I where it has the codec (G.711, G.729A, G.723.1 at 6.3 kbit/s,
 * GSM EFR, and with it AMR at 12.2 kbit/s). The others are estimates: GSM FR and iLBC lose more and conceal better; the
 * wide-band codecs are put on the narrow-band scale, where they impair nothing: G.722 conceals as G.711 does, Opus better.
 */
const impairments: ReadonlyMap<string, CodecImpairment> = new Map([
  ['pcmu', g711],
  ['pcma', g711],
  ['g722', g711],
  ['g729', codec(11, 19)],
  ['g729a', codec(11, 19)],
  ['g723', codec(15, 16.1)],
  ['gsm', codec(20, 43)],
  ['gsm-efr', enhancedFullRate],
  ['amr', enhancedFullRate],
  ['amr-wb', codec(0, 10)],
  ['ilbc', codec(11, 32)],
  ['opus', codec(0, 30)],
])

/** What the model knows of a codec, by its encoding name in SDP in any case; undefined for one it does not know. */
export function impairmentOf(name: string): CodecImpairment | undefined {
  return impairments.get(name.toLowerCase())
}

/** What a rating is made of. */
export interface Transmission {
  /** Share of packets lost, 0 to 1. */
  readonly loss: number
  /** Mean length of the bursts of loss over that of independent losses; 1 when they are independent, never less. */
  readonly burstRatio: number
  /** From mouth to ear, in milliseconds. */
  readonly delayMs: number
}

/** The transmission rating, 0 to 93.2: above 80 users are satisfied, below 60 nearly all are not (ITU-T G.109). */
export function ratingOf(codec: CodecImpairment, { loss, burstRatio, delayMs }: Transmission): number {
  const rating = ratingMax - delayImpairment(delayMs) - lossImpairment(codec, loss, burstRatio)
  return Math.max(0, rating)
}

/** Idd: what a delay alone does to a conversation; nothing up to 100 ms. */
export function delayImpairment(delayMs: number): number {
  if (delayMs <= 100) return 0
  const x = Math.log2(delayMs / 100)
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
}

/** Ie,eff: codec and loss together. */
export function lossImpairment(codec: CodecImpairment, loss: number, burstRatio: number): number {
  const { impairment, robustness } = codec
  const percent = loss * 100
  return impairment + (95 - impairment) * (percent / (percent / Math.max(1, burstRatio) + robustness))
}

/** The mean opinion score of a rating, 1 to 4.5 (G.107 Annex B). */
export function mosOf(rating: number): number {
  if (rating <= 0) return 1
  if (rating >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
}

/**
 * The burst ratio of losses that came in `bursts` gaps. Independent losses have gaps of 1/(1 − loss) packets on average.
 */
export function burstRatioOf(lost: number, bursts: number, loss: number): number {
  return bursts === 0 ? 1 : Math.max(1, (lost / bursts) * (1 - loss))
}

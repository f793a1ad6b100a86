/**
 * Digits in INFO: the body types `application/dtmf-relay` and `application/dtmf` that phones and gateways share (no RFC
 * defines them; RFC 6086 §2 calls this legacy INFO usage). Pure.
 */

/** One digit that was pressed. */
export interface Dtmf {
  /** `0`–`9`, `*`, `#`, `A`–`D`, or `!` for the hook flash. */
  readonly digit: string
  readonly durationMs: number
}

/** What is assumed when nothing is said of the length. */
export const dtmfDurationMs = 160
const durationMsMax = 5_000

const byCode: Readonly<Record<string, string>> = {
  '10': '*',
  '11': '#',
  '12': 'A',
  '13': 'B',
  '14': 'C',
  '15': 'D',
  '16': '!',
}

/** True for one digit that can be sent. */
export function isDigit(digit: string): boolean {
  return /^[0-9A-Da-d*#!]$/.test(digit)
}

/** Writes a digit as `application/dtmf-relay`. */
export function writeDtmf({ digit, durationMs }: Dtmf): string {
  return `Signal=${digit === '!' ? '16' : digit.toUpperCase()}\r\nDuration=${Math.round(durationMs)}\r\n`
}

/** Reads a body; undefined when it is none of the two types, or says nothing that can be understood. */
export function readDtmf(contentType: string | undefined, body: Uint8Array): Dtmf | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  if (body.length > 256 || (type !== 'application/dtmf-relay' && type !== 'application/dtmf')) return undefined
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  if (type === 'application/dtmf') return digitOf(text.trim(), dtmfDurationMs)
  const signal = /^\s*Signal\s*=\s*(\S+)\s*$/im.exec(text)?.[1]
  const duration = /^\s*Duration\s*=\s*(\d{1,6})\s*$/im.exec(text)?.[1]
  return digitOf(signal, duration === undefined ? dtmfDurationMs : Math.min(Number(duration), durationMsMax))
}

function digitOf(signal: string | undefined, durationMs: number): Dtmf | undefined {
  if (signal === undefined) return undefined
  const digit = byCode[signal] ?? signal.toUpperCase()
  return isDigit(digit) ? { digit, durationMs } : undefined
}

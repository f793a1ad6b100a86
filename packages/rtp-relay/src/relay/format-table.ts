/**
 * What the relay knows of the formats of a medium, by payload type. Most calls have the same few: one table serves them all,
 * and is never changed.
 */
import { formatTablesMax } from '../limits'
import type { CodecImpairment } from '../stats/e-model'
import type { ClockRates } from '../stats/rtp-stats'

/** One format of a description. */
export interface PayloadFormat {
  readonly payloadType: number
  /** In hertz; 0 where unknown. */
  readonly clockRate: number
  /** What the E-model knows of it; undefined where it knows nothing. */
  readonly codec: CodecImpairment | undefined
}

/** All formats of a medium. */
export interface FormatTable {
  readonly clockRates: ClockRates
  readonly codecs: ReadonlyMap<number, CodecImpairment>
}

const payloadTypes = 128
const tables = new Map<string, FormatTable>()

/** The table of these formats, of which later ones stand for earlier ones of the same payload type. */
export function formatTable(formats: readonly PayloadFormat[]): FormatTable {
  const key = formats
    .map(({ payloadType, clockRate, codec }) =>
      [payloadType, clockRate, codec?.impairment, codec?.robustness].join(' '),
    )
    .join()
  const known = tables.get(key)
  if (known !== undefined) return known
  // Whoever makes up formats shares with nobody: those in use stay with their calls, the next ones are made anew.
  if (tables.size >= formatTablesMax) tables.clear()
  const made = makeTable(formats)
  tables.set(key, made)
  return made
}

function makeTable(formats: readonly PayloadFormat[]): FormatTable {
  const clockRates = new Uint32Array(payloadTypes)
  const codecs = new Map<number, CodecImpairment>()
  for (const { payloadType, clockRate, codec } of formats) {
    if (clockRate > 0) clockRates[payloadType] = clockRate
    if (codec !== undefined) codecs.set(payloadType, codec)
  }
  return { clockRates, codecs }
}

/** Of a medium that nothing is known of. */
export const noFormats = makeTable([])

/** What a user agent can do: feature parameters of Contact and their kin (RFC 3840 §9, RFC 6809 §6). */
import type { Params } from '../grammar/params'

/** A range of numbers, its ends included; infinite where it is open. */
export interface NumericRange {
  readonly min: number
  readonly max: number
}

/** One of the values of a feature: a token as it came, TRUE or FALSE, or a range of numbers. */
export interface FeatureValue {
  /** True when the feature does not have this value (`!` before it). */
  readonly isNegated: boolean
  readonly value: string | boolean | NumericRange
}

/** A feature: either a text (`"<…>"`) or values, of which a parameter without a value has one, TRUE. */
export interface Feature {
  readonly text?: string
  readonly values: readonly FeatureValue[]
}

/** Features that are written without a plus sign (RFC 3840 §9, §10). */
const baseTags: ReadonlySet<string> = new Set([
  ...['audio', 'automata', 'class', 'duplex', 'data', 'control', 'mobility', 'description', 'events', 'priority'],
  ...['methods', 'schemes', 'application', 'video', 'language', 'type', 'isfocus', 'actor', 'text', 'extensions'],
])

const yes: Feature = { values: [{ isNegated: false, value: true }] }

/** The features among the parameters of a value, by lower-case name as it stands there: `audio`, `+sip.instance`. */
export function readFeatures(params: Params): ReadonlyMap<string, Feature> {
  const features = new Map<string, Feature>()
  for (const [name, value] of params) {
    if (name.startsWith('+') || baseTags.has(name)) features.set(name, value === null ? yes : readFeature(value))
  }
  return features
}

function readFeature(value: string): Feature {
  if (value.startsWith('<') && value.endsWith('>')) return { text: value.slice(1, -1), values: [] }
  return { values: value.split(',').map((part) => readFeatureValue(part.trim())) }
}

function readFeatureValue(text: string): FeatureValue {
  const isNegated = text.startsWith('!')
  const value = isNegated ? text.slice(1) : text
  const upper = value.toUpperCase()
  if (upper === 'TRUE' || upper === 'FALSE') return { isNegated, value: upper === 'TRUE' }
  return { isNegated, value: value.startsWith('#') ? (readRange(value) ?? value) : value }
}

/** `#=1`, `#>=1`, `#<=1`, `#1:2` (RFC 3840 §9); undefined for anything else. */
function readRange(text: string): NumericRange | undefined {
  const match = /^#(?:(=|>=|<=)\s*([-+]?[0-9.]{1,20})|([-+]?[0-9.]{1,20})\s*:\s*([-+]?[0-9.]{1,20}))$/.exec(text)
  if (match === null) return undefined
  const [, operator, number, from, to] = match
  const min = operator === '<=' ? Number.NEGATIVE_INFINITY : Number(number ?? from)
  const max = operator === '>=' ? Number.POSITIVE_INFINITY : Number(number ?? to)
  return Number.isNaN(min) || Number.isNaN(max) ? undefined : { min, max }
}

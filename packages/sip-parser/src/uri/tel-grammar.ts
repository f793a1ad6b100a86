/** What telephone numbers and their parameters may be made of (RFC 3966 §3), and the one spelling they have (§4, §5.1.1). */
import { foldCase } from './escape'

/** True for global-number-digits or local-number-digits. */
export function isTelNumber(text: string): boolean {
  return /^(?:\+[-.()]*[0-9][0-9().-]*|[-.()]*[0-9A-Fa-f*#][0-9A-Fa-f*#().-]*)$/.test(text)
}

/** True for pname. */
export function isTelParamName(name: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(name)
}

/** True when the value (undecoded) is one that the parameter of this name, in lower case, may have. */
export function isTelParamValue(name: string, value: string | null): boolean {
  if (name === 'ext') return value !== null && /^[-.()]*[0-9][0-9().-]*$/.test(value)
  if (name === 'isub') return value !== null && value !== ''
  if (name === 'phone-context') return value !== null && isDescriptor(value)
  return value !== ''
}

/** The number, or a value of the parameter of this name, without visual separators where they mean nothing; lower case. */
export function canonicalTelText(name: string | undefined, text: string): string {
  const hasSeparators = name === undefined || name === 'ext' || (name === 'phone-context' && text.startsWith('+'))
  return foldCase(hasSeparators ? text.replace(/[-.()]+/g, '') : text)
}

/** The order that RFC 3966 §3 prescribes: isub or ext first, then the context, then the rest by name. */
export function compareTelParams(one: string, other: string): number {
  const difference = rank(one) - rank(other)
  if (difference !== 0) return difference
  return one < other ? -1 : one === other ? 0 : 1
}

function rank(name: string): number {
  const place = ['isub', 'ext', 'phone-context'].indexOf(name)
  return place < 0 ? 3 : place
}

/** global-number-digits, or a domain name whose last label begins with a letter. */
function isDescriptor(value: string): boolean {
  if (value.startsWith('+')) return isTelNumber(value)
  const labels = (value.endsWith('.') ? value.slice(0, -1) : value).split('.')
  const areLabels = labels.every((label) => /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/.test(label))
  return areLabels && /^[A-Za-z]/.test(labels.at(-1) ?? '')
}

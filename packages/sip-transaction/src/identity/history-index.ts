/** Indexes of History-Info, `1.2.1`: one number for each level of the tree that a request has spread to (RFC 7044 §10.3). Pure. */
import { historyIndexLengthMax } from '../limits'

/** The index of the first target that a request goes to from there (§10.3 rule 1), or of a later one (rules 3 to 5). */
export function childIndex(parent: string, number = 1): string {
  return `${parent}.${number}`
}

/** The index of an entry that a hop before us has left out: the zero marks the gap (§10.3 rule 6). */
export function indexAfterGap(last: string): string {
  return `${last}.0.1`
}

/** Whether an index has the form of one, no number with leading zeros, and a length that is taken. */
export function isIndex(index: string): boolean {
  return index.length <= historyIndexLengthMax && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/.test(index)
}

/** Orders indexes as the tree is read: parents before children, then by number. */
export function compareIndexes(one: string, other: string): number {
  const ones = one.split('.')
  const others = other.split('.')
  for (let level = 0; level < ones.length && level < others.length; level += 1) {
    const difference = compareNumbers(ones[level]!, others[level]!)
    if (difference !== 0) return difference
  }
  return ones.length - others.length
}

/** Numbers of any length, as text without leading zeros. */
function compareNumbers(one: string, other: string): number {
  if (one.length !== other.length) return one.length - other.length
  return one < other ? -1 : one > other ? 1 : 0
}

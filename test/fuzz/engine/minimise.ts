/** Makes an input smaller while it still does what it is kept for: lines go first, then pieces, then single bytes. */

/** Calls of the predicate at most. */
const triesMax = 1_000
const millisecondsMax = 2_000

/** The smallest input found for which `isStillGood` holds; the input itself when nothing smaller does. */
export function minimise(
  input: Uint8Array,
  isStillGood: (candidate: Uint8Array) => boolean,
  now: () => number = () => performance.now(),
): Uint8Array {
  const until = now() + millisecondsMax
  let tries = 0
  const isSpent = (): boolean => tries >= triesMax || now() > until
  const isGood = (parts: readonly string[]): boolean => {
    tries += 1
    return isStillGood(Buffer.from(parts.join(''), 'latin1'))
  }
  let text = Buffer.from(input).toString('latin1')
  for (const split of [/(?<=\n)/, /(?<=[,;&? ])/, /(?:)/s]) {
    text = reduce(text.split(split), isGood, isSpent).join('')
  }
  return Buffer.from(text, 'latin1')
}

/** Takes out runs of parts, from half of them down to one by one. */
function reduce(
  parts: readonly string[],
  isGood: (parts: readonly string[]) => boolean,
  isSpent: () => boolean,
): readonly string[] {
  let left = parts
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length; ) {
      if (isSpent()) return left
      const shorter = left.toSpliced(at, size)
      if (isGood(shorter)) left = shorter
      else at += size
    }
  }
  return left
}

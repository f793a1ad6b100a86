/**
 * One origin for all descriptions that go to one peer, whoever made them: RFC 3264 §8 wants the o= line of the last one
 * with a higher version, and RFC 3725 §7 wants a controller to see to that when the other side changes. Pure.
 */

const line = /^o=(\S+) (\S+) (\S+) (\S+ \S+ \S+)/m

/** `next` as the one after `previous`, which went to the same peer; as it is when it continues that one already. */
export function continuedFrom(previous: Uint8Array | string | undefined, next: Uint8Array): Uint8Array {
  const before = previous === undefined ? null : line.exec(textOf(previous))
  if (before === null) return next
  const text = textOf(next)
  const after = line.exec(text)
  const [, user, id, version, address] = before
  if (after === null || (after[1] === user && after[2] === id && after[4] === address)) return next
  const number = /^\d{1,19}$/.test(version!) ? String(BigInt(version!) + 1n) : '1'
  return Buffer.from(
    text.replace(line, () => `o=${user} ${id} ${number} ${address}`),
    'latin1',
  )
}

function textOf(sdp: Uint8Array | string): string {
  return typeof sdp === 'string' ? sdp : Buffer.from(sdp.buffer, sdp.byteOffset, sdp.byteLength).toString('latin1')
}

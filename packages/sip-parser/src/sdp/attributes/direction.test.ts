import { describe, expect, it } from 'vitest'
import { directionCodecs, directionOf, reverseDirection, withDirection } from './direction'

describe('direction', () => {
  it('RFC 8866 §6.7: is a flag', () => {
    expect(directionCodecs.sendonly.decode(undefined)).toEqual({ ok: true, value: true })
    expect(directionCodecs.sendonly.decode('x')).toMatchObject({ error: { code: 'SDP_FLAG_INVALID' } })
    expect(directionCodecs.inactive.encode(true)).toEqual({ name: 'inactive' })
  })

  it('RFC 3264 §6.1: is the reverse for the other side', () => {
    expect(reverseDirection('sendonly')).toBe('recvonly')
    expect(reverseDirection('recvonly')).toBe('sendonly')
    expect(reverseDirection('inactive')).toBe('inactive')
  })

  it('is replaced where it stood, once', () => {
    const section = { attributes: [{ name: 'a' }, { name: 'recvonly' }, { name: 'b' }, { name: 'sendonly' }] }
    const changed = withDirection(section, 'inactive')
    expect(changed.attributes.map(({ name }) => name)).toEqual(['a', 'inactive', 'b'])
    expect(directionOf(withDirection({ attributes: [] }, 'sendonly'))).toBe('sendonly')
    expect(withDirection({ attributes: [] }, 'sendrecv').attributes).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { sampleInvite } from '../testing/messages'
import { decodedHeaders } from './decoded'

function decoded(...headers: (readonly [name: string, value: string])[]): Record<string, readonly string[]> {
  return Object.fromEntries(decodedHeaders(sampleInvite({ headers })).map(({ name, values }) => [name, values]))
}

describe('decoded headers', () => {
  it('are those of every getter, wherever it is written down', () => {
    const found = decoded(
      ['Replaces', 'a@b;to-tag=1;from-tag=2;early-only'],
      ['Session-Expires', '90;refresher=uac'],
      ['History-Info', '<sip:a@b>;index=1, <sip:c@d>;index=1.1;mp=1'],
      ['P-Charging-Vector', 'icid-value="a b"'],
      ['Privacy', 'id;critical'],
      ['Warning', '370 a "b"'],
    )
    expect(found).toMatchObject({
      replaces: ['a@b;to-tag=1;from-tag=2;early-only'],
      sessionExpires: ['90;refresher=uac'],
      historyInfo: ['<sip:a@b>;index=1', '<sip:c@d>;index=1.1;mp=1'],
      pChargingVector: ['icid-value="a b"'],
      privacy: ['id', 'critical'],
      warnings: ['370 a "b"'],
    })
    expect(Object.keys(found).slice(0, 3)).toEqual(['method', 'uri', 'vias'])
  })

  it('hold no digest, nonce or what proves one', () => {
    const secret = '0123456789abcdef0123456789abcdef'
    const shown = JSON.stringify(
      decoded(
        ['Security-Verify', `digest;d-ver="${secret}"`],
        ['Authentication-Info', `nextnonce="${secret}", rspauth="${secret}", qop=auth`],
        ['Authorization', `Digest username="u", nonce="${secret}", response="${secret}"`],
      ),
    )
    expect(shown).not.toContain(secret)
    expect(shown).toContain('digest;d-ver')
    expect(shown).toContain('nextnonce=***')
  })

  it('leave out what is malformed', () => {
    expect(decoded(['Replaces', 'a'], ['Event', 'x'])).not.toHaveProperty('replaces')
  })
})

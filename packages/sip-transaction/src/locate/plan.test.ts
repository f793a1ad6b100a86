import { parseUri, type Uri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { locatePlan } from './plan'
import { addressesNow, resolveAddresses } from './resolver'

const uri = (text: string): Uri => {
  const parsed = parseUri(text)
  if (!parsed.ok) throw new Error(parsed.error.sentence)
  return parsed.value
}
const plan = (text: string, transports = ['UDP', 'TCP']) => locatePlan(uri(text), { transports })
const at = (transport: string, address: string, port: number) => [
  { kind: 'address', address: { transport, address, port } },
]

describe('locatePlan', () => {
  it('RFC 3263 §4.1 and §4.2: literal addresses, default transport and port', () => {
    expect(plan('sip:a@192.0.2.1')).toEqual(at('UDP', '192.0.2.1', 5060))
    expect(plan('sip:a@192.0.2.1:5080;transport=tcp')).toEqual(at('TCP', '192.0.2.1', 5080))
    expect(plan('sip:a@[2001:db8::1]')).toEqual(at('UDP', '2001:db8::1', 5060))
    expect(plan('sips:a@192.0.2.1', ['UDP', 'TLS'])).toEqual(at('TLS', '192.0.2.1', 5061))
    expect(plan('sip:a@192.0.2.1', ['TCP'])).toEqual(at('TCP', '192.0.2.1', 5060))
    expect(plan('sip:a@example.com;maddr=192.0.2.7')).toEqual(at('UDP', '192.0.2.7', 5060))
  })

  it('names are looked up; what cannot be reached has no steps', () => {
    expect(plan('sip:a@example.com:5070')).toEqual([
      { kind: 'name', host: 'example.com', port: 5070, transport: 'UDP' },
    ])
    expect(plan('sips:a@192.0.2.1')).toEqual([])
    expect(plan('sip:a@192.0.2.1;transport=sctp')).toEqual([])
    expect(plan('tel:+123')).toEqual([])
  })
})

describe('resolveAddresses', () => {
  const dns = {
    resolve: async (host: string, family: 4 | 6) => {
      if (host === 'broken.example') throw new Error('SERVFAIL')
      return host === 'two.example' ? (family === 4 ? ['192.0.2.1', '192.0.2.2'] : ['2001:db8::1']) : []
    },
  }

  it('gives every address of a name in order, of the families asked for', async () => {
    const steps = plan('sip:two.example')
    expect(addressesNow(steps)).toBeUndefined()
    const addresses = await resolveAddresses(steps, dns, [4, 6])
    expect(addresses.map((entry) => entry.address)).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1'])
    expect(await resolveAddresses(steps, dns, [6])).toHaveLength(1)
    expect(await resolveAddresses(plan('sip:none.example'), dns, [4])).toEqual([])
  })

  it('rejects when the look-up itself fails', async () => {
    await expect(resolveAddresses(plan('sip:broken.example'), dns, [4, 6])).rejects.toThrow('SERVFAIL')
  })
})

import { describe, expect, it } from 'vitest'
import { describeConfig } from './describe'
import { loadConfig } from './load'
import { resolveAddresses } from './resolve'

const machine = { ipv4: '192.0.2.10', ipv6: '2001:db8::10' }

function resolve(env: Record<string, string>) {
  return resolveAddresses(loadConfig({ env, flags: {}, cwd: '/nowhere' }).config, machine)
}

describe('resolveAddresses', () => {
  it("tells phones the machine's address when it listens on every address", () => {
    expect(resolve({})).toEqual({
      domain: '192.0.2.10',
      isDomainExplicit: false,
      advertisedAddress: undefined,
      serverAddress: '192.0.2.10',
      media: [{ address: '192.0.2.10' }],
    })
    expect(resolve({ CARILLON_SIP_LISTEN: 'udp://[::]:5060' })).toMatchObject({
      serverAddress: '2001:db8::10',
      media: [{ address: '2001:db8::10' }],
    })
  })

  it('stays on loopback when it listens there', () => {
    expect(resolve({ CARILLON_SIP_LISTEN: 'udp://127.0.0.1:5060,tcp://127.0.0.1:5060' })).toEqual({
      domain: '127.0.0.1',
      isDomainExplicit: false,
      advertisedAddress: undefined,
      serverAddress: '127.0.0.1',
      media: [{ address: '127.0.0.1' }],
    })
  })

  it('opens media on each address that is listened on', () => {
    const { media } = resolve({ CARILLON_SIP_LISTEN: 'udp://127.0.0.1,udp://[::1]' })
    expect(media).toEqual([{ address: '127.0.0.1' }, { address: '::1' }])
  })

  it('writes a public address into SDP but binds to a local one', () => {
    expect(resolve({ CARILLON_ADVERTISED_ADDRESS: '203.0.113.5' })).toEqual({
      domain: '203.0.113.5',
      isDomainExplicit: false,
      advertisedAddress: '203.0.113.5',
      serverAddress: '203.0.113.5',
      media: [{ address: '192.0.2.10', advertisedAddress: '203.0.113.5' }],
    })
    expect(
      resolve({ CARILLON_ADVERTISED_ADDRESS: 'pbx.example.com', CARILLON_MEDIA_ADVERTISED_ADDRESS: '203.0.113.6' }),
    ).toMatchObject({
      advertisedAddress: 'pbx.example.com',
      media: [{ address: '192.0.2.10', advertisedAddress: '203.0.113.6' }],
    })
  })

  it('never binds media to the wildcard, because a connected socket would then lose packets to other addresses', () => {
    expect(resolve({ CARILLON_MEDIA_ADDRESS: '0.0.0.0' }).media).toEqual([{ address: '192.0.2.10' }])
  })

  it('takes the domain as it is given', () => {
    expect(resolve({ CARILLON_DOMAIN: 'Phones.Example.COM' })).toMatchObject({
      domain: 'phones.example.com',
      isDomainExplicit: true,
    })
  })
})

describe('describeConfig', () => {
  it('prints every setting with its origin and no secret', () => {
    const env = { CARILLON_USERS: '1001:hunter2', CARILLON_MEDIA_PORTS: '30000-30099' }
    const loaded = loadConfig({ env, flags: { domain: 'example.com' }, cwd: '/nowhere' })
    const text = describeConfig(loaded, resolveAddresses(loaded.config, machine))
    expect(text).not.toContain('hunter2')
    expect(text).toMatch(/^users +1001:\*{6} +CARILLON_USERS$/m)
    expect(text).toMatch(/^domain +example\.com +--domain$/m)
    expect(text).toMatch(/^advertisedAddress +auto \(192\.0\.2\.10\) +default$/m)
    expect(text).toMatch(/^media\.ports +30000-30099 +CARILLON_MEDIA_PORTS$/m)
    expect(text).toMatch(/^dataDir +\/nowhere\/\.carillon +default$/m)
  })
})

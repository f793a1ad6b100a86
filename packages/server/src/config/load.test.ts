import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ServerError } from '../errors'
import { configKeys } from './keys'
import { type ConfigSources, loadConfig } from './load'

const folder = mkdtempSync(join(tmpdir(), 'carillon-config-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function load(sources: Partial<ConfigSources>) {
  return loadConfig({ env: {}, flags: {}, cwd: folder, ...sources })
}

function failure(sources: Partial<ConfigSources>): ServerError {
  try {
    load(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(ServerError)
    expect((error as ServerError).message).not.toContain('\n')
    return error as ServerError
  }
  throw new Error('the configuration was accepted')
}

function file(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

describe('loadConfig', () => {
  it('has a default for every setting, which its own schema accepts', () => {
    const { config, origins } = load({})
    expect(config.sip.listen).toEqual([
      { transport: 'udp', host: '0.0.0.0', port: 5060 },
      { transport: 'tcp', host: '0.0.0.0', port: 5060 },
    ])
    expect(config.media.ports).toEqual({ min: 20_000, max: 29_999 })
    expect(config.dataDir).toBe(join(folder, '.carillon'))
    expect([...origins.values()].every((origin) => origin.kind === 'default')).toBe(true)
    expect(origins.size).toBe(configKeys.length)
  })

  it('derives the names of the variables and flags from the paths', () => {
    const names = new Map(configKeys.map((key) => [key.path, [key.env, key.flag]]))
    expect(names.get('sip.listen')).toEqual(['CARILLON_SIP_LISTEN', 'sip-listen'])
    expect(names.get('dataDir')).toEqual(['CARILLON_DATA_DIR', 'data-dir'])
    expect(names.get('advertisedAddress')).toEqual(['CARILLON_ADVERTISED_ADDRESS', 'advertised-address'])
    expect(new Set(configKeys.map((key) => key.env)).size).toBe(configKeys.length)
  })

  it('takes flags over environment over file over defaults', () => {
    const configFile = file('order.json', { domain: 'file.example', drainTimeoutMs: 1, calls: { max: 7 } })
    const { config, origins } = load({
      configFile,
      env: { CARILLON_DOMAIN: 'env.example', CARILLON_DRAIN_TIMEOUT_MS: '2', HOME: '/', CARILLON_LOG_LEVEL: 'warn' },
      flags: { domain: 'flag.example' },
    })
    expect(config).toMatchObject({
      domain: 'flag.example',
      drainTimeoutMs: 2,
      calls: { max: 7 },
      log: { level: 'warn' },
    })
    expect(origins.get('domain')?.name).toBe('--domain')
    expect(origins.get('drainTimeoutMs')?.name).toBe('CARILLON_DRAIN_TIMEOUT_MS')
    expect(origins.get('calls.max')).toEqual({ kind: 'file', name: `"calls.max" in ${configFile}` })
  })

  it('reads carillon.json of the data directory when no file is named', () => {
    file('carillon.json', { domain: 'found.example' })
    expect(load({ flags: { 'data-dir': '.' } }).config.domain).toBe('found.example')
    expect(load({}).config.domain).toBe('auto')
    expect(load({ env: { CARILLON_CONFIG: 'carillon.json' } }).config.domain).toBe('found.example')
  })

  it('takes lists and users as JSON in the file', () => {
    const configFile = file('json.json', {
      sip: { listen: ['udp://127.0.0.1:5070', 'tcp://[::1]'] },
      users: { '1001': 'a:b,c', bob: 'x' },
      media: { ports: '30000-30001', address: ['127.0.0.1', '[::1]'] },
    })
    const { config } = load({ configFile })
    expect(config.sip.listen[1]).toEqual({ transport: 'tcp', host: '::1', port: 5060 })
    expect(config.users).toEqual([
      { extension: '1001', password: 'a:b,c' },
      { extension: 'bob', password: 'x' },
    ])
    expect(config.media).toMatchObject({ ports: { min: 30_000, max: 30_001 }, address: ['127.0.0.1', '::1'] })
  })

  it('keeps colons in passwords of CARILLON_USERS', () => {
    expect(load({ env: { CARILLON_USERS: '1001:se:cret, 1002:x' } }).config.users).toEqual([
      { extension: '1001', password: 'se:cret' },
      { extension: '1002', password: 'x' },
    ])
  })
})

describe('what loadConfig says of a wrong value', () => {
  const wrong: [string, string][] = [
    ['CARILLON_MEDIA_PORTS', '29999-20000'],
    ['CARILLON_MEDIA_PORTS', '1-9'],
    ['CARILLON_MEDIA_PORTS', '20001-20002'],
    ['CARILLON_MEDIA_PORTS', 'many'],
    ['CARILLON_SIP_LISTEN', 'udp://localhost:5060'],
    ['CARILLON_SIP_LISTEN', 'udp://127.0.0.1:99999'],
    ['CARILLON_SIP_LISTEN', 'sctp://127.0.0.1'],
    ['CARILLON_SIP_LISTEN', 'udp://127.0.0.1:5060,udp://127.0.0.1:5060'],
    ['CARILLON_SIP_LISTEN', ''],
    ['CARILLON_SIP_LISTEN', 'udp://::1:5060'],
    ['CARILLON_DOMAIN', 'a b'],
    ['CARILLON_DOMAIN', '1.2.3.4.5'],
    ['CARILLON_MEDIA_ADDRESS', 'example.com'],
    ['CARILLON_MEDIA_ADVERTISED_ADDRESS', 'example.com'],
    ['CARILLON_DRAIN_TIMEOUT_MS', '-1'],
    ['CARILLON_DRAIN_TIMEOUT_MS', '1.5'],
    ['CARILLON_DRAIN_TIMEOUT_MS', '1e3'],
    ['CARILLON_LOG_LEVEL', 'loud'],
    ['CARILLON_AUTH_ALGORITHMS', 'SHA-1'],
    ['CARILLON_AUTH_ALGORITHMS', 'MD5,MD5'],
    ['CARILLON_DATA_DIR', ''],
    ['CARILLON_REGISTRATION_DEFAULT_SECONDS', '30'],
  ]
  it.each(wrong)('%s=%j: one line with the name, the value and what is accepted, exit code 2', (name, value) => {
    const error = failure({ env: { [name]: value } })
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.exitCode).toBe(2)
    expect(error.message).toContain(`${name} holds `)
    if (value !== '') expect(error.message).toContain(value)
    expect(error.message).toMatch(/; it accepts .{5}/)
  })

  it('never shows a secret', () => {
    for (const users of ['1001', '1001:', ':hunter2', '1001:hunter2,1001:hunter2', '1001:hunter2,,']) {
      const error = failure({ env: { CARILLON_USERS: users } })
      expect(error.message).toContain('CARILLON_USERS holds a value that is not shown here; it accepts ')
      expect(error.message).not.toContain('hunter2')
    }
    const configFile = file('secret.json', '{ "users": { "1001": "hunter2" } "x" }')
    expect(failure({ configFile }).message).not.toContain('hunter2')
  })

  it('names an unknown variable, flag or key and what it may have meant', () => {
    const variable = failure({ env: { CARILLON_SIP_LISTN: 'hunter2' } })
    expect(variable).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', exitCode: 2 })
    expect(variable.message).toBe(
      'environment variable CARILLON_SIP_LISTN is not a setting; did you mean CARILLON_SIP_LISTEN?',
    )
    expect(failure({ flags: { domian: 'x' } }).message).toContain('did you mean --domain?')
    expect(failure({ configFile: file('typo.json', { sip: { liste: 1 } }) }).message).toContain(
      'did you mean sip.listen?',
    )
    expect(failure({ configFile: file('proto.json', '{ "__proto__": { "domain": "x" } }') }).code).toBe(
      'CONFIG_UNKNOWN_KEY',
    )
  })

  it('leaves alone variables that only share the prefix, as an orchestrator sets them', () => {
    const env = {
      CARILLON_PORT: 'tcp://10.0.0.1:5060',
      CARILLON_SERVICE_HOST: '10.0.0.1',
      CARILLON_DOMAIN: 'example.com',
    }
    expect(load({ env }).config.domain).toBe('example.com')
  })

  it('says what is wrong with the file itself', () => {
    expect(failure({ configFile: 'nowhere.json' })).toMatchObject({ code: 'CONFIG_FILE_UNREADABLE', exitCode: 2 })
    expect(failure({ configFile: file('bad.json', '{') }).message).toContain('it is not JSON')
    expect(failure({ configFile: file('list.json', [1]) }).message).toContain('holds a list; it accepts an object')
    expect(failure({ configFile: file('level.json', { sip: 'udp' }) }).message).toContain('"sip" in ')
    expect(failure({ configFile: file('wrong.json', { calls: { max: 'all' } }) }).message).toMatch(
      /^"calls\.max" in .*wrong\.json holds "all"; it accepts a whole number from 1 to 100000$/,
    )
  })

  it('does not let the file in the data directory move the data directory', () => {
    file('carillon.json', { dataDir: '/elsewhere' })
    expect(failure({ flags: { 'data-dir': '.' } }).message).toContain('cannot move it')
    rmSync(join(folder, 'carillon.json'))
  })
})

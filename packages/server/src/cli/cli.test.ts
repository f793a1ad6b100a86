import { describe, expect, it } from 'vitest'
import { loadConfig } from '../config'
import { parseCommandLine } from './arguments'
import { type BannerFacts, bannerText } from './banner'
import { helpText } from './help'

describe('parseCommandLine', () => {
  it('starts when no command is given', () => {
    expect(parseCommandLine([])).toEqual({ command: 'start', flags: {} })
    expect(parseCommandLine(['--domain', 'x'])).toEqual({ command: 'start', flags: { domain: 'x' } })
  })

  it('takes flags in both forms and the configuration file', () => {
    expect(parseCommandLine(['check-config', '--sip-listen=udp://127.0.0.1', '--config', 'a.json'])).toEqual({
      command: 'check-config',
      flags: { 'sip-listen': 'udp://127.0.0.1' },
      configFile: 'a.json',
    })
  })

  it('knows --help and --version anywhere', () => {
    expect(parseCommandLine(['start', '--help']).command).toBe('help')
    expect(parseCommandLine(['-V']).command).toBe('version')
  })

  it.each([
    [['run'], '"run" is not a command'],
    [['strat'], 'did you mean start?'],
    [['start', 'now'], 'start takes no argument'],
    [['--domian', 'x'], 'did you mean --domain?'],
    [['--domain'], '--domain needs a value'],
    [['--help=yes'], '--help takes no value'],
    [['-x'], '-x does not exist'],
  ])('%j: one line, exit code 2', (args, said) => {
    try {
      parseCommandLine(args)
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ name: 'ServerError', exitCode: 2 })
      expect((error as Error).message).toContain(said)
      expect((error as Error).message).not.toContain('\n')
    }
  })
})

describe('helpText', () => {
  it('lists every command and setting', () => {
    for (const word of ['start', 'check-config', '--sip-listen', '--users', '--config'])
      expect(helpText()).toContain(word)
  })
})

const facts: BannerFacts = {
  config: loadConfig({ env: {}, flags: {}, cwd: '/nowhere' }).config,
  domain: '192.0.2.10',
  isDomainExplicit: false,
  serverAddress: '192.0.2.10',
  listeners: [
    { transport: 'udp', host: '0.0.0.0', port: 5060 },
    { transport: 'tcp', host: '0.0.0.0', port: 5060 },
  ],
  users: [
    { extension: '1001', password: 'aaaa-bbbb', isGenerated: true },
    { extension: '1002', password: 'cccc-dddd', isGenerated: true },
  ],
  usersFile: '/nowhere/.carillon/users.json',
  isFirstStart: true,
}

describe('bannerText', () => {
  it('says exactly what to type into two phones', () => {
    const text = bannerText(facts)
    expect(text).toMatch(/ is ready, listening on udp:\/\/0\.0\.0\.0:5060, tcp:\/\/0\.0\.0\.0:5060\./)
    expect(text).toMatch(/^ {2}Server \/ domain +192\.0\.2\.10 +192\.0\.2\.10$/m)
    expect(text).toMatch(/^ {2}Username +1001 +1002$/m)
    expect(text).toMatch(/^ {2}Password +aaaa-bbbb +cccc-dddd$/m)
    expect(text).toMatch(/^ {2}Transport +UDP or TCP +UDP or TCP$/m)
    expect(text).toMatch(/^ {2}Number to dial +1002 +1001$/m)
    expect(text).toContain('/nowhere/.carillon/users.json')
  })

  it('names the port when it is not 5060', () => {
    const listeners = [{ transport: 'udp', host: '127.0.0.1', port: 5070 }]
    const text = bannerText({ ...facts, listeners, serverAddress: '127.0.0.1', domain: '127.0.0.1' })
    expect(text).toMatch(/^ {2}Server \/ domain +127\.0\.0\.1:5070 /m)
  })

  it('tells a domain and the server to send to apart', () => {
    const text = bannerText({ ...facts, domain: 'phones.example.com', isDomainExplicit: true })
    expect(text).toMatch(/^ {2}Domain +phones\.example\.com +phones\.example\.com$/m)
    expect(text).toMatch(/^ {2}Outbound proxy +192\.0\.2\.10 /m)
  })

  it('never shows a password that the operator has set', () => {
    const users = facts.users.map((user) => ({ ...user, isGenerated: false }))
    expect(bannerText({ ...facts, users })).not.toContain('aaaa-bbbb')
  })

  it('shows nothing but the first line when it is to be short', () => {
    const text = bannerText({ ...facts, config: { ...facts.config, banner: 'short' } })
    expect(text).toMatch(/ready/)
    expect(text).not.toContain('aaaa-bbbb')
    expect(text.split('\n')).toHaveLength(2)
  })
})

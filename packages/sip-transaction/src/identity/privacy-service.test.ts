import { describe, expect, it } from 'vitest'
import { invite } from './fixtures/messages'
import { applyPrivacy, type PrivacyServiceOptions } from './privacy-service'

const named = [
  'Subject: secret',
  'Organization: Widgets',
  'User-Agent: phone of Cullen',
  'Reply-To: <sip:fluffy@cisco.com>',
  'In-Reply-To: 70710@cisco.com',
  'Call-Info: <http://cisco.com/fluffy.jpg>',
  'Referred-By: <sip:fluffy@cisco.com>',
  'P-Preferred-Identity: <sip:fluffy@cisco.com>',
  'P-Asserted-Identity: <sip:fluffy@cisco.com>',
]
const asked = (privacy: string, ...lines: string[]) => invite([`Privacy: ${privacy}`, ...lines])
const given = (privacy: string, options: PrivacyServiceOptions, ...lines: string[]) => {
  const outcome = applyPrivacy(asked(privacy, ...lines), options)
  if (!outcome.ok) throw new Error(`refused: ${outcome.missing}`)
  return outcome
}

describe('a privacy service', () => {
  it('RFC 3323 §5.3: user privacy takes out what names the user, and a bridge writes another From', () => {
    const { changes, bridge, left } = given('user', { as: 'bridge' }, ...named)
    expect(changes.remove).toEqual([
      'Subject',
      'Call-Info',
      'Organization',
      'User-Agent',
      'Reply-To',
      'In-Reply-To',
      'Referred-By',
      'P-Preferred-Identity',
      'P-Asserted-Identity',
      'Privacy',
    ])
    expect(bridge.from?.toString()).toBe('"Anonymous" <sip:anonymous@anonymous.invalid>')
    expect(bridge.hideTopology).toBe(true)
    expect(left).toEqual([])
  })

  it('RFC 3323 §5.3: a proxy has no From to give, unless the caller is anonymous already; the rest it takes out', () => {
    const { changes, bridge, left } = given('user', { as: 'proxy' }, ...named)
    expect(changes.remove).toContain('Subject')
    expect(changes.remove).not.toContain('Privacy')
    expect(bridge).toEqual({})
    expect(left).toEqual(['user'])
    const nobody = 'From: "Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'
    expect(given('user;critical', { as: 'proxy' }, nobody).left).toEqual([])
  })

  it('RFC 3323 §5.1: header privacy is given by who writes Via, Contact and Record-Route himself', () => {
    expect(given('header', { as: 'bridge' })).toMatchObject({ given: ['header'], bridge: { hideTopology: true } })
    expect(given('header', { as: 'proxy' })).toMatchObject({ given: [], left: ['header'], changes: { remove: [] } })
  })

  it('RFC 3323 §5.2: session privacy is given by a media relay', () => {
    expect(given('session', { as: 'bridge', relaysMedia: true }).given).toEqual(['session'])
    expect(given('session', { as: 'bridge' }).left).toEqual(['session'])
  })

  it('RFC 3325 §7, §9.3: id is given at the edge, and left alone inside', () => {
    expect(given('id', { as: 'proxy' }).changes.remove).toEqual(['P-Asserted-Identity', 'Privacy'])
    const inside = given('id;critical', { as: 'proxy', isInside: true })
    expect(inside).toMatchObject({ given: [], left: ['id'], changes: { remove: [], add: [] } })
  })

  it('RFC 7044 §10.1.2: history names nobody any more', () => {
    const { changes } = given('history', { as: 'proxy' }, 'History-Info: <sip:a@b>;index=1, <sip:c@d>;index=1.1;mp=1')
    expect(changes.add).toEqual([
      ['History-Info', '<sip:anonymous@anonymous.invalid>;index=1'],
      ['History-Info', '<sip:anonymous@anonymous.invalid>;index=1.1;mp=1'],
    ])
    const broken = given('history', { as: 'proxy' }, 'History-Info: broken')
    expect(broken.changes).toEqual({ remove: ['History-Info', 'Privacy'], add: [] })
  })

  it('RFC 3323 §5: what is given leaves the header, what is not stays, critical last', () => {
    const some = asked('id;session;critical')
    expect(applyPrivacy(some, { as: 'proxy' })).toEqual({ ok: false, status: 500, missing: ['session'] })
    expect(given('session;id', { as: 'proxy' }).changes.add).toEqual([['Privacy', 'session']])
    expect(given('critical;id;history', { as: 'bridge', isInside: true }).left).toEqual(['id', 'history'])
  })

  it('RFC 3323 §5: with critical it refuses what it cannot give or does not know, and without critical not', () => {
    expect(applyPrivacy(asked('header;critical'), { as: 'proxy' })).toMatchObject({ ok: false, status: 500 })
    expect(applyPrivacy(asked('id;x-moon;critical'), { as: 'bridge' })).toEqual({
      ok: false,
      status: 500,
      missing: ['x-moon'],
    })
    expect(given('id;x-moon', { as: 'bridge' })).toMatchObject({ given: ['id'], left: ['x-moon'] })
    expect(given('id;x-moon', { as: 'bridge' }).changes.add).toEqual([['Privacy', 'x-moon']])
  })

  it('RFC 3323 §5: Proxy-Require: privacy goes when all is given, and other tags stay', () => {
    expect(given('id', { as: 'proxy' }, 'Proxy-Require: privacy').changes.remove).toContain('Proxy-Require')
    expect(given('id', { as: 'proxy' }, 'Proxy-Require: foo, Privacy').changes.add).toEqual([['Proxy-Require', 'foo']])
    expect(given('header', { as: 'proxy' }, 'Proxy-Require: privacy').changes.remove).not.toContain('Proxy-Require')
  })

  it('RFC 3323 §4.2: nothing is done about none, nor without the header', () => {
    const nothing = { given: [], left: [], bridge: {}, changes: { remove: [], add: [] } }
    expect(given('none', { as: 'bridge' }, ...named)).toMatchObject(nothing)
    expect(given('none;critical', { as: 'bridge' }, ...named)).toMatchObject(nothing)
    expect(applyPrivacy(invite(named), { as: 'bridge' })).toMatchObject(nothing)
  })
})

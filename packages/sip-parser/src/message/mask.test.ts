import { describe, expect, it } from 'vitest'
import { headerIdOf } from '../headers/recognise'
import { sampleInvite } from '../testing/messages'
import { logged, maskedUris } from './mask'

describe('what a log may have of a header', () => {
  it.each([
    ['Authorization', 'Digest response="s3cret"', 'Digest ***'],
    ['Authorization', 'Digest\tresponse="s3cret", qop=auth', 'Digest ***'],
    ['Authorization', 'response="s3cret", qop=auth', '***'],
    ['Authentication-Info', 'nextnonce="s3cret"', '***'],
    ['Authentication-Info', 'rspauth="s3cret", qop=auth', '***'],
    ['Security-Verify', 'digest;d-ver="a\\";s3cret";q=0.1', 'digest;d-ver=***;q=0.1'],
    ['Security-Verify', 'digest;d-alg=MD5;D-VER = "s3cret";q=0.1, tls', 'digest;d-alg=MD5;d-ver=***;q=0.1, tls'],
    ['Security-Client', 'digest;d-ver=s3cret, digest;d-ver="s3cret"', 'digest;d-ver=***, digest;d-ver=***'],
    ['Subject', 'd-ver="x"', 'd-ver="x"'],
    ['Contact', '"a" <sip:alice:s3cret@h:5060;x=y>, sip:b:s3cret@h', '"a" <sip:alice:***@h:5060;x=y>, sip:b:***@h'],
    ['From', 'SIPS:alice:@h;tag=1', 'SIPS:alice:***@h;tag=1'],
    ['Route', '<sip:h:5060;lr>, <sip:[::1]:5060;lr>', '<sip:h:5060;lr>, <sip:[::1]:5060;lr>'],
    ['Refer-To', '<sip:a@b?Proxy-Authorization=s3cret%20x&Subject=y>', '<sip:a@b?Proxy-Authorization=***&Subject=y>'],
    ['Call-Info', '<http://u:s3cret@h/x:y@z>', '<http://u:***@h/x:y@z>'],
    ['X-Unknown', 'sip:a:s3cret@b', 'sip:a:***@b'],
  ])('RFC 3261 §22, RFC 3329 §2.4: %s', (name, value, shown) => expect(logged(headerIdOf(name), value)).toBe(shown))

  it('holds for a whole message', () => {
    const message = sampleInvite({ headers: [['Security-Verify', 'digest;d-ver="s3cret"']] })
    expect(JSON.stringify(message)).not.toContain('s3cret')
    expect(JSON.stringify(message.edit().setUri('sip:a:s3cret@b').build())).not.toContain('s3cret')
  })

  it('costs time in proportion to the text', () => {
    const long = (piece: string) => piece.repeat(200_000 / piece.length)
    const started = process.cpuUsage()
    for (const piece of ['sip:', 'sip:a:', ':', '://', '://a:', 'a.', '?authorization=', '@']) maskedUris(long(piece))
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000)
  })
})

import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { commandInputBytesMax } from '../limits'
import { createRequest } from '../message/build'
import { caretLine, explainProblem, visible } from '../message/excerpt'
import { inspectMessage } from '../message/validate'
import { inviteBytes, optionsRequest, sampleInvite, sampleResponse } from '../testing/messages'
import { extractMessages } from './extract'
import { type CommandOptions, inspectFiles, planCommand } from './index'

const PLAIN: CommandOptions = { isJson: false, colour: false, isTolerant: false, isStream: false, isQuiet: false }

const INVITE = Buffer.from(inviteBytes())
const OK = sampleResponse(200).toBytes()
/** As it stands in RFC 4475 §3.1.2.6, but for the body. */
const UNBALANCED = Buffer.from(
  'INVITE sip:user@example.com SIP/2.0\r\nTo: "Mr. J. User <sip:j.user@example.com>\r\nFrom: sip:caller@example.net;tag=93334\r\n' +
    'Max-Forwards: 10\r\nCall-ID: quotbal.aksdj\r\nCSeq: 8 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.59;branch=z9hG4bKkdjuw39234\r\nContent-Length: 0\r\n\r\n',
)

function run(input: Uint8Array | string, options: Partial<CommandOptions> = {}) {
  const bytes = typeof input === 'string' ? Buffer.from(input, 'latin1') : input
  return inspectFiles([{ name: 'file', bytes }], { ...PLAIN, ...options }, { isColourful: false })
}

function found(text: string | Uint8Array): string[] {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return extractMessages(bytes).map((message) => message.bytes.toString('latin1'))
}

/** Text as it is after copying from a terminal. */
function copied(message: Buffer): string {
  return message.toString('latin1').replaceAll('\r\n', '\n')
}

function hexDump(packet: Buffer, prefix: string): string {
  const rows: string[] = []
  for (let at = 0; at < packet.length; at += 16) {
    const row = packet.subarray(at, at + 16)
    const pairs = [...row].map((byte) => byte.toString(16).padStart(2, '0'))
    const place = at.toString(16).padStart(4, '0')
    const text = row.toString('latin1').replace(/[^ -~]/g, '.')
    if (prefix === '')
      rows.push(`${place}  ${`${pairs.slice(0, 8).join(' ')}  ${pairs.slice(8).join(' ')}`.padEnd(50)}  ${text}`)
    else rows.push(`\t${prefix}${place}:  ${(pairs.join('').match(/.{1,4}/g) ?? []).join(' ').padEnd(39)}  ${text}`)
  }
  return `${rows.join('\n')}\n`
}

describe('the verdict', () => {
  it('RFC 4475 §3.1.2.6: shows the line with a caret at the quote, and says so by its exit code', () => {
    const { code, stdout } = run(UNBALANCED)
    expect(code).toBe(1)
    const lines = stdout.split('\n')
    const at = lines.findIndex((line) => line.includes('To: "Mr. J. User'))
    expect(lines[at + 1]?.indexOf('^')).toBe(lines[at]?.indexOf('"'))
    expect(lines[at + 2]).toContain('QUOTE_UNTERMINATED To: A quoted string has no closing quote.')
    expect(lines[1]).toBe('bad: 1 problem; to be answered with 400')
  })

  it('is good for a good message, with its headers and its session', () => {
    const { code, stdout } = run(INVITE)
    expect(code).toBe(0)
    expect(stdout).toContain('good: nothing is wrong with it')
    expect(stdout).toMatch(/ {2}callId +\S+/)
    expect(stdout).toContain('audio RTP/AVP 192.0.2.101:49172 sendrecv')
    expect(stdout).toContain('101 telephone-event/8000')
    expect(stdout).not.toContain('\u001b')
  })

  it('tells what a server refuses from what is malformed', () => {
    const scheme = run(createRequest({ method: 'OPTIONS', uri: 'sip:a@b', headers: [] }).toBytes())
    expect(scheme.code).toBe(1)
    expect(scheme.stdout.match(/^ *\| +\^$/gm)).toHaveLength(1)
    expect(scheme.stdout).toContain('well formed, but a server will refuse it: 5 problems; to be answered with 400')
  })

  it('leaves aside malformed attributes of a session, but not malformed lines', () => {
    const text = INVITE.toString('latin1')
    const odd = run(text.replace('a=rtpmap:0 PCMU/8000', 'a=rtpmap:0 PCMU 8000'))
    expect([
      odd.code,
      odd.stdout.includes('SDP_RTPMAP_INVALID'),
      odd.stdout.includes('readers leave it aside'),
    ]).toEqual([0, true, true])
    const bad = run(text.replace('c=IN IP4 ', 'c=IN IP5 '))
    expect([bad.code, bad.stdout.includes('SDP_CONNECTION_INVALID')]).toEqual([1, true])
  })

  it('says where a body in parts goes wrong', () => {
    const body = '--b\r\nContent-Type: application/sdp\r\n\r\nv=1\r\n--b--'
    const request = sampleInvite({ body }).edit().set('Content-Type', 'multipart/mixed;boundary=b').build()
    const { code, stdout } = run(request.toBytes())
    const lines = stdout.split('\n')
    expect(code).toBe(1)
    expect(lines[lines.findIndex((line) => line.includes('SDP_VERSION_INVALID')) - 2]).toMatch(/\| v=1$/)
    const open = run(
      sampleInvite({ body: 'x' }).edit().set('Content-Type', 'multipart/mixed;boundary=b').build().toBytes(),
    )
    expect([open.code, open.stdout.includes('MULTIPART_NO_PART')]).toEqual([1, true])
  })

  it('follows the switches', () => {
    const bare = copied(optionsRequest().toBytes()).replace('OPTIONS ', 'OPTIONS  ')
    expect(run(bare).code).toBe(1)
    expect(run(bare, { isTolerant: true }).code).toBe(0)
    const quiet = run(UNBALANCED, { isQuiet: true }).stdout
    expect(quiet).toContain('QUOTE_UNTERMINATED')
    expect(quiet).not.toContain('Max-Forwards')
    const text = optionsRequest()
      .toBytes()
      .toString('latin1')
      .replace(/Content-Length: 0\r\n/, '')
    expect([run(text).code, run(text, { isStream: true }).code]).toEqual([0, 1])
  })

  it('is coloured where that is wanted, and not where it is not', () => {
    const input = [{ name: 'x', bytes: UNBALANCED }]
    expect(inspectFiles(input, { ...PLAIN, colour: undefined }, { isColourful: true }).stdout).toContain(
      '\u001b[1;31m^\u001b[0m',
    )
    expect(inspectFiles(input, { ...PLAIN, colour: undefined }, { isColourful: false }).stdout).not.toContain('\u001b')
    expect(inspectFiles(input, { ...PLAIN, colour: false }, { isColourful: true }).stdout).not.toContain('\u001b')
    expect(inspectFiles(input, { ...PLAIN, colour: true }, { isColourful: false }).stdout).toContain('\u001b')
  })

  it('is JSON for programs, without secrets', () => {
    const request = sampleInvite({
      headers: [
        [
          'Authorization',
          'Digest username="u", realm="r", nonce="n1", uri="sip:x", response="0123456789abcdef0123456789abcdef"',
        ],
      ],
    })
    const { code, stdout } = run(Buffer.concat([request.toBytes(), UNBALANCED]), { isJson: true })
    const data = JSON.parse(stdout) as { code: number; messages: { verdict: string; problems: object[] }[] }
    expect([code, data.code, data.messages.map(({ verdict }) => verdict)]).toEqual([1, 1, ['good', 'bad']])
    expect(data.messages[1]?.problems[0]).toMatchObject({
      code: 'QUOTE_UNTERMINATED',
      header: 'To',
      line: 2,
      column: 5,
      offset: 41,
      layer: 'header-value',
      suggestedStatus: 400,
    })
    expect(stdout).toContain('realm=r')
    expect(stdout).not.toMatch(/0123456789abcdef|n1"/)
  })

  it('never hands a control sequence to the terminal, and keeps a caret in sight of a long line', () => {
    const evil = UNBALANCED.toString('latin1').replace('caller@', '\u001b[2J\u009b\u0007@')
    expect(run(evil).stdout).not.toMatch(/[\u0007\u001b\u0080-\u009f]/)
    expect(visible(Buffer.from('a\tb\u202ec\u00e9'))).toBe('a b\\u{202e}c\u00e9')
    expect(visible(Buffer.from('a\u00e9', 'latin1'))).toBe('a\\xe9')
    const line = Buffer.from(`${'x'.repeat(5_000)}"${'y'.repeat(5_000)}`)
    const cut = caretLine(line, 5_000, 80)
    expect([cut.text[cut.column], cut.text.length]).toEqual(['"', 82])
  })

  it('puts the caret under the place whatever stands before it: wide and combining characters, other bytes', () => {
    const under = (text: string, at: number) => {
      const { text: shown, column } = caretLine(Buffer.from(text, 'latin1'), at, 80)
      return `${shown}\n${' '.repeat(column)}^`
    }
    const utf8 = (text: string) => Buffer.from(text).toString('latin1')
    expect(under(utf8('日本"x'), 6)).toBe('日本"x\n    ^')
    expect(under(utf8('e\u0301"x'), 3)).toBe('e\u0301"x\n ^')
    expect(under(`${utf8('é')}"\xff`, 2)).toBe('\\xc3\\xa9"\\xff\n        ^')
    expect(under('a\tb', 2)).toBe('a b\n  ^')
    expect(under('ab', 2)).toBe('ab\n  ^')
    expect(under('', 0)).toBe('\n^')
  })

  it('fits the screen, and no line that has a caret is wrapped', () => {
    const wide = UNBALANCED.toString().replace('Mr. J. User', 'x'.repeat(200))
    const { stdout } = inspectFiles([{ name: 'x', bytes: Buffer.from(wide) }], PLAIN, {
      isColourful: false,
      columns: 80,
    })
    const lines = stdout.split('\n')
    const caret = lines.findIndex((line) => /\| +\^$/.test(line))
    expect(lines[caret - 1]).toMatch(/To: "x+…$/)
    expect(lines[caret]?.indexOf('^')).toBe(lines[caret - 1]?.indexOf('"'))
    expect(Math.max(...lines.slice(0, caret + 3).map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  it('escapes in JSON, too, what a terminal would obey', () => {
    const evil = UNBALANCED.toString('latin1').replace(
      'caller@',
      Buffer.from('\u009b2J\u202e\u007f').toString('latin1'),
    )
    const { stdout } = run(evil, { isJson: true })
    expect(stdout).not.toMatch(/[\u007f-\u009f\u202e]/)
    expect(JSON.stringify(JSON.parse(stdout))).toContain('\u009b2J\u202e\u007f')
    expect(
      run(sampleInvite().edit().setUri('sip:a:s3cret@b').build().toBytes(), { isJson: true }).stdout,
    ).not.toContain('s3cret')
    expect(planCommand(['--\u001b[2J'], '1')).toMatchObject({ stderr: expect.not.stringContaining('\u001b') })
    expect(inspectFiles([{ name: '\u009b2J', error: 'gone' }], PLAIN, { isColourful: false }).stderr).toContain('\\x9b')
  })

  it('takes no more room than it must for a huge line and for very many lines', () => {
    for (const text of ['\0', 'a\n', 'é', '0000 00\n', '\tSIP/2.0 ']) {
      expect(run(Buffer.from(text.repeat(2_000_000 / text.length)), { isQuiet: true }).stdout.length).toBeLessThan(
        5_000,
      )
    }
    const { stdout } = run(Buffer.alloc(2_000_000))
    expect(stdout.length).toBeLessThan(5_000)
    expect(run(Buffer.from('a\n'.repeat(1_000_000))).stdout).toContain('note: the last 1737856 bytes are not shown')
  })

  it('is unreadable for what holds no message, and bounded for what is too large', () => {
    expect(run('')).toMatchObject({ code: 2, stderr: 'sip-parser: file: holds no message\n' })
    expect(run('\r\n\r\n').code).toBe(2)
    expect(run('nonsense').code).toBe(1)
    for (const magic of ['d4c3b2a1', '0a0d0d0a'])
      expect(run(Buffer.from(`${magic}0102`, 'hex'))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('tcpdump'),
      })
    expect(run(new Uint8Array(commandInputBytesMax + 1)).code).toBe(2)
    expect(inspectFiles([{ name: 'x', error: 'gone' }], PLAIN, { isColourful: false })).toMatchObject({
      code: 2,
      stderr: 'sip-parser: x: gone\n',
    })
  })

  it('is given for every cut and many changes of a message', () => {
    for (let at = 0; at < INVITE.length; at += 3) run(INVITE.subarray(0, at))
    for (let at = 0; at < INVITE.length; at += 5) {
      const changed = Buffer.from(INVITE)
      changed[at] = at % 2 === 0 ? 10 : 255
      run(changed, { isTolerant: at % 3 === 0 })
    }
  })
})

describe('explainProblem', () => {
  it('shows the line, the place and the sentence', () => {
    const { problems } = inspectMessage(UNBALANCED)
    expect(explainProblem(UNBALANCED, problems[0]!)).toBe(
      'To: "Mr. J. User <sip:j.user@example.com>\n    ^\nTo: A quoted string has no closing quote.',
    )
    const short = Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nl: 5\r\n\r\nab')
    expect(explainProblem(short, inspectMessage(short).problems[0]!)).toMatch(/^ab\n {2}\^\nThe body is shorter/)
    for (const text of ['', '\n', '\r\n\r\n', 'x', 'x\r\n']) {
      const bytes = Buffer.from(text)
      for (const problem of inspectMessage(bytes).problems) expect(explainProblem(bytes, problem)).toContain('^\n')
    }
  })
})

describe('finding messages', () => {
  const both = [INVITE.toString('latin1'), OK.toString('latin1')]

  it('on the wire, one after another, and as a whole what has no start line', () => {
    expect(found(Buffer.concat([INVITE, OK]))).toEqual(both)
    expect(found(Buffer.concat([INVITE, Buffer.from('\r\n\r\n'), OK]))).toEqual(both)
    expect(found('hello\r\n')).toEqual(['hello\r\n'])
  })

  it('but none in a body', () => {
    const notify = sampleInvite({ body: `${OK.toString('latin1')}x` }).toBytes()
    expect(found(notify)).toEqual([notify.toString('latin1')])
  })

  it('in text of sngrep, of a log, and indented text', () => {
    const text = `2024/01/02 10:00:00.000001 192.0.2.1:5060 -> 192.0.2.2:5060\n${copied(INVITE)}\n\n2024/01/02 10:00:00.1 192.0.2.2:5060 -> 192.0.2.1:5060\n${copied(OK)}\n`
    expect(found(text)).toEqual(both)
    expect(extractMessages(Buffer.from(text)).map(({ label }) => label)).toEqual([
      '2024/01/02 10:00:00.000001 192.0.2.1:5060 -> 192.0.2.2:5060',
      '2024/01/02 10:00:00.1 192.0.2.2:5060 -> 192.0.2.1:5060',
    ])
    expect(found(copied(INVITE).replace(/^(?=.)/gm, '    '))).toEqual([both[0]])
    expect(run(text).code).toBe(0)
  })

  it('in what tshark and Wireshark follow', () => {
    const rule = '='.repeat(67)
    const text = `${rule}\nFollow: udp,ascii\nFilter: udp.stream eq 0\nNode 0: 192.0.2.1:5060\nNode 1: 192.0.2.2:5060\n${INVITE.length}\n${copied(INVITE)}\n\t${OK.length}\n${copied(OK)}\n${rule}\n`
    expect(found(text)).toEqual(both)
  })

  it('in what tcpdump -A prints', () => {
    const text = `10:00:00.000000 IP 192.0.2.1.5060 > 192.0.2.2.5060: SIP: INVITE sip:bob@example.com SIP/2.0\nE..4....@.@.............................${copied(INVITE)}\n`
    expect(found(text)).toEqual([both[0]])
  })

  it.each([
    ['tcpdump -X', '0x'],
    ['Wireshark and tshark -x', ''],
  ])('in a hex dump of %s', (_name, prefix) => {
    const header = Buffer.alloc(28, 0x45)
    const dump = (message: Buffer) => `10:00 IP a > b\n${hexDump(Buffer.concat([header, message]), prefix)}`
    expect(found(dump(INVITE) + dump(OK))).toEqual(both)
  })

  it('in time that grows with the input alone', () => {
    const started = performance.now()
    extractMessages(Buffer.from('INVITE '.repeat(200_000)))
    extractMessages(Buffer.from('INVITE sip:a@b SIP/2.0\n'.repeat(20_000)))
    extractMessages(Buffer.from(`E${'A'.repeat(80)}sip: `.repeat(20_000)))
    extractMessages(Buffer.from('INVITE sip:a@b SIP/2.0\r\n'.repeat(80_000)))
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

describe('arguments', () => {
  it('are files and switches', () => {
    expect(planCommand(['--json', '-q', '-', '--', '--tolerant'], '1')).toEqual({
      kind: 'inspect',
      files: ['-', '--tolerant'],
      options: { ...PLAIN, colour: undefined, isJson: true, isQuiet: true },
    })
  })

  it('end at once for help, version and wrong usage', () => {
    expect(planCommand(['--help'], '1')).toMatchObject({
      kind: 'exit',
      code: 0,
      stdout: expect.stringContaining('Exit code'),
    })
    expect(planCommand(['--version'], '1.2.3')).toMatchObject({ code: 0, stdout: '1.2.3\n' })
    expect(planCommand([], '1')).toMatchObject({ code: 2, stderr: expect.stringContaining('name a file') })
    expect(planCommand(['--nothing'], '1')).toMatchObject({ code: 2, stderr: expect.stringContaining('--nothing') })
  })
})

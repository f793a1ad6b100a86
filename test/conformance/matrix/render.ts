/** The matrix as Markdown: the section of the README, and the page with everything behind it. */
import { choices, statusesOf } from './expectations'
import { type Act, type Cell, cellsOf, type Row, score } from './matrix'
import { peers, versionOf } from './peers'

/** Where the section of the README begins and ends. */
export const MARKS = ['<!-- torture-matrix:begin -->', '<!-- torture-matrix:end -->'] as const

const columns = ['Carillon', ...peers.map(({ name }) => name)]

/** What stands between the marks of the README. */
export function readmeSection(rows: readonly Row[]): string {
  const open = rows.filter(({ expectation }) => expectation.strictParser === 'either').length
  return [
    '',
    '',
    `The ${rows.length} messages of RFC 4475 and RFC 5118. ✓ and ✗ say whether a strict parser should have done so; ${open} messages may be`,
    'accepted or refused, and these count for nobody. *Broken* is accepted with a wrong value: the same questions are asked of every',
    'library. Written by the test run; `docs/reference/torture-matrix.md` of the repository says what was called and which value',
    'was wrong.',
    '',
    ...totals(rows),
    '',
    ...table(rows, false),
    '',
    'Where either may be done:',
    '',
    ...choiceList(),
    '',
    '',
  ].join('\n')
}

/** The text of docs/reference/torture-matrix.md. */
export function matrixPage(rows: readonly Row[]): string {
  return [
    '# Torture matrix',
    '',
    'Every message of RFC 4475 (49) and RFC 5118 (12), given to this parser and to the parsers on npm. Written by the test run',
    '(`CARILLON_WRITE=1` writes it); a test fails when it is not what the libraries do.',
    '',
    '## Totals',
    '',
    ...totals(rows),
    '',
    '## How it is measured',
    '',
    ...method(),
    '',
    '## Messages',
    '',
    ...table(rows, true),
    '',
    '## Where either may be done',
    '',
    ...choiceList(),
    '',
    '## What was wrong',
    '',
    'Refusals of valid messages, and messages that were accepted with wrong values.',
    '',
    ...wrongList(rows),
    '',
  ].join('\n')
}

function totals(rows: readonly Row[]): string[] {
  const grammar = rows.filter((row) => !row.isSemantic)
  const above = rows.filter((row) => row.isSemantic)
  const right = (some: readonly Row[]): string[] =>
    columns.map((name) => {
      const { right, decided } = score(cellsOf(some, name))
      return `${right} of ${decided}`
    })
  const count = (verdict: 'accept' | 'reject', ...acts: Act[]): string[] =>
    columns.map((name) => {
      const cells = rows.filter(({ expectation }) => expectation.strictParser === verdict)
      return String(cellsOf(cells, name).filter(({ act }) => acts.includes(act)).length)
    })
  const failed = columns.map((name) =>
    String(cellsOf(rows, name).filter(({ act }) => act === 'crash' || act === 'hang').length),
  )
  return grid(
    ['', 'Carillon', ...peers.map((peer) => `${peer.name} ${versionOf(peer)}`)],
    [
      ['**right**', ...right(rows).map((text) => `**${text}**`)],
      ['right: framing, grammar, values', ...right(grammar)],
      ['right: what lies above the grammar', ...right(above)],
      ['accepts what is to be refused', ...count('reject', 'accept', 'broken')],
      ['refuses what is to be accepted', ...count('accept', 'reject')],
      ['accepts with wrong values', ...count('accept', 'broken')],
      ['crashes or hangs', ...failed],
    ],
  )
}

function table(rows: readonly Row[], isFull: boolean): string[] {
  const heads = ['message', '§', ...(isFull ? ['title', 'layer'] : []), 'should', ...columns]
  heads.splice(heads.indexOf('Carillon') + 1, 0, 'tolerant')
  return grid(
    heads,
    rows.map(({ expectation, carillon, tolerant, peers: others }) => [
      `\`${expectation.file}\``,
      `${expectation.set === 'rfc5118' ? '5118 ' : ''}${expectation.section}`,
      ...(isFull ? [expectation.title ?? '', expectation.layer ?? ''] : []),
      should(expectation),
      carillon.act === 'reject' ? `${mark(carillon)}\`${carillon.detail.replace(' ', '` ')}` : text(carillon),
      tolerant.detail === '' ? text(tolerant) : `${text(tolerant)}: \`${tolerant.detail}\``,
      ...peers.map(({ name }) => text(others[name])),
    ]),
  )
}

function should(expectation: Row['expectation']): string {
  if (expectation.strictParser !== 'reject') return expectation.strictParser
  const [status] = statusesOf(expectation)
  return status === 'drop' ? 'drop' : `reject, ${status}`
}

function method(): string[] {
  return [
    'The parser of each library is called on the bytes of one datagram, in a thread of its own with a time limit. To *accept* a',
    'message is to give an object in which the request URI or status, each Via, From, To, Contact, CSeq and Max-Forwards that the',
    'message has can be read. A header or URI that a library leaves undefined, or a Max-Forwards that is no number, is a *rejection*: it is',
    'how these libraries say so. An exception that is not the documented way to refuse is a *crash*. *Broken* is accepted with a wrong',
    'value. The questions are the same for every library, and representations of their own (quotes or escapes left in place, brackets',
    'around IPv6 addresses) are resolved before the comparison. Parsers that take text are given the bytes decoded as UTF-8, the character',
    'set of SIP (RFC 3261 §7), which a binary body like that of `mpart01.dat` does not survive.',
    '',
    ...grid(
      ['library', 'calls'],
      [
        [
          'Carillon',
          '`inspectMessage(bytes)`, then the typed getters; a refusal is right only with the layer and the status that are asked for',
        ],
        [
          'tolerant',
          '`inspectMessage(bytes, { leniency: tolerant })`; beside an acceptance stands the switch that it needs. It departs on purpose, so it is not marked',
        ],
        ...peers.map((peer) => [`${peer.name} ${versionOf(peer)}`, peer.calls]),
      ],
    ),
    '',
    '*What lies above the grammar* are the messages whose verdict RFC 4475 gives to a transaction, a user agent or a proxy: most',
    'of them a parser must let through, and four (`badvers.dat`, `mismatch01.dat`, `mismatch02.dat`, `multi01.dat`) contradict',
    'themselves in ways that a parser may leave to its user. They are counted apart for that reason.',
    '',
    'Only parsers are compared. The user agents of sip.js and jssip compare the body with Content-Length after parsing, so they refuse',
    '`clerr.dat` there; those two and npm sip ask for the mandatory headers before they act on a message.',
  ]
}

function choiceList(): string[] {
  return Object.entries(choices).map(([file, { code, leniency, why }]) => {
    const tolerated = leniency === undefined ? '' : `, accepted with \`${leniency}\``
    return `- \`${file}\`: refused with \`${code}\`${tolerated}. ${why}`
  })
}

function wrongList(rows: readonly Row[]): string[] {
  return peers.flatMap(({ name }) => {
    const lines = rows.flatMap(({ expectation: { file, strictParser }, peers: cells }) => {
      const cell = cells[name]
      if (cell === undefined || cell.isRight !== false || strictParser === 'reject') return []
      return [`- \`${file}\`: ${cell.act}: ${escaped(cell.detail)}`]
    })
    return [`### ${name}`, '', ...(lines.length === 0 ? ['Nothing.'] : lines), '']
  })
}

function text(cell: Cell | undefined): string {
  return cell === undefined ? '' : `${mark(cell)}${cell.act}`
}

function mark({ isRight }: Cell): string {
  if (isRight === undefined) return ''
  return isRight ? '✓ ' : '✗ '
}

function grid(heads: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |')
  return [row(heads), `|${heads.map(() => '---').join('|')}|`, ...lines.map(row)]
}

/** Text of a message has no meaning in Markdown. */
function escaped(detail: string): string {
  return detail.replace(/[\\`*_[\]<>|]/g, '\\$&')
}

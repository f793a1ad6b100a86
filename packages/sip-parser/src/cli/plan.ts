/** The arguments of the `sip-parser` command, read without touching anything. */
import { visibleText } from '../message/excerpt'

/** What the command is to do. */
export type Plan =
  | { readonly kind: 'exit'; readonly code: 0 | 2; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'inspect'; readonly files: readonly string[]; readonly options: CommandOptions }

/** The switches of the command. */
export interface CommandOptions {
  readonly isJson: boolean
  /** Undefined leaves it to the terminal and to NO_COLOR. */
  readonly colour: boolean | undefined
  readonly isTolerant: boolean
  readonly isStream: boolean
  readonly isQuiet: boolean
}

/** What `--help` prints. */
export const helpText = `Usage: sip-parser [options] FILE...
       sip-parser [options] -        reads standard input

Reads SIP messages and says what is wrong with them: each problem with its line and
a caret under the place, then the headers decoded and the session description.

FILE holds one message or several as they were on the wire, or text that was copied
from sngrep, tshark, tcpdump (-A, -X), Wireshark (Follow, hex dump) or a server's log.

Options:
  --json       write one JSON document; secrets of the Authorization family are masked
  --tolerant   allow what real-world phones are known to send
  --stream     judge as if the message came by TCP: Content-Length is needed
  --quiet      print verdicts and problems, not the message and its headers
  --color, --no-color
               colour or not, whatever the terminal and NO_COLOR say
  --version    print the version
  --help       print this

Exit code: 0 when every message is good, 1 when one has a problem or would be refused
by a server, 2 for wrong usage, an unreadable file, or a file that holds no message.
`

const SWITCHES = new Map<string, Partial<CommandOptions>>([
  ['--json', { isJson: true }],
  ['--tolerant', { isTolerant: true }],
  ['--stream', { isStream: true }],
  ['--quiet', { isQuiet: true }],
  ['-q', { isQuiet: true }],
  ['--color', { colour: true }],
  ['--colour', { colour: true }],
  ['--no-color', { colour: false }],
  ['--no-colour', { colour: false }],
])

/** Reads the arguments. */
export function planCommand(args: readonly string[], version: string): Plan {
  let options: CommandOptions = {
    isJson: false,
    colour: undefined,
    isTolerant: false,
    isStream: false,
    isQuiet: false,
  }
  const files: string[] = []
  let isOnlyFiles = false
  for (const arg of args) {
    const change = isOnlyFiles ? undefined : SWITCHES.get(arg)
    if (change !== undefined) options = { ...options, ...change }
    else if (isOnlyFiles || arg === '-' || !arg.startsWith('-')) files.push(arg)
    else if (arg === '--') isOnlyFiles = true
    else if (arg === '--help' || arg === '-h') return { kind: 'exit', code: 0, stdout: helpText, stderr: '' }
    else if (arg === '--version') return { kind: 'exit', code: 0, stdout: `${version}\n`, stderr: '' }
    else return usage(`there is no option ${arg}`)
  }
  return files.length === 0 ? usage('name a file, or - for standard input') : { kind: 'inspect', files, options }
}

function usage(reason: string): Plan {
  return { kind: 'exit', code: 2, stdout: '', stderr: `sip-parser: ${visibleText(reason)}; try --help\n` }
}

/** The programs in documents say what the types say: each is checked as a user's compiler would. */
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { documentExamples } from '../support/document-examples'
import { root } from '../support/repository'

it('every program in a document has right types', () => {
  const blocks = new Map(documentExamples.map((example) => [pathOf(example), example.code]))
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object }
  const { options: strict } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, root)
  // A stack that is only there to be called has no name to be read.
  const options = { ...strict, noUnusedLocals: false, noUnusedParameters: false }
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile } = host
  host.fileExists = (path) => blocks.has(path) || fileExists(path)
  host.getSourceFile = (path, language, ...rest) => {
    const code = blocks.get(path)
    return code === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, `${code}\nexport {}\n`, language)
  }
  const program = ts.createProgram([...blocks.keys()], options, host)
  const wrong: string[] = []
  for (const path of blocks.keys()) {
    const file = program.getSourceFile(path)
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    for (const { messageText, start = 0 } of found) {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
      wrong.push(`${path.slice(root.length)}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`)
    }
  }
  expect(wrong).toEqual([])
})

/** Where a block would stand: in the folder whose packages are all of ours. */
function pathOf({ path, index }: { readonly path: string; readonly index: number }): string {
  return join(root, 'test/tidy', `${path.replace(/[^a-z0-9]+/gi, '-')}-${index}.ts`)
}

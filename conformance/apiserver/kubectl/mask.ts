/** Replaces what differs from run to run, and the spacing of columns, which follows from it. */
export function maskText(
  text: string,
  known: { readonly node: string; readonly directory: string },
): string {
  return (
    text
      .replaceAll(known.directory, '<dir>')
      .replaceAll(known.node === '' ? '\0' : known.node, '<node>')
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
      .replace(
        /\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g,
        '<date>',
      )
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '<uid>')
      .replace(/\b(web|quick)-[0-9a-f]{7,10}-[a-z0-9]{5}\b/g, '$1-<hash>-<pod>')
      .replace(/\b(web|quick)-[0-9a-f]{7,10}\b/g, '$1-<hash>')
      .replace(/\b(web|quick|once|ext|from-cron)-[a-z0-9]{5}\b/g, '$1-<random>')
      .replace(/pod-template-hash[=:] ?"?[0-9a-f]{7,10}"?/g, 'pod-template-hash=<hash>')
      .replace(/resourceVersion: "\d+"/g, 'resourceVersion: <rv>')
      .replace(/"resourceVersion": "\d+"/g, '"resourceVersion": "<rv>"')
      .replace(/Resource Version: +\d+/g, 'Resource Version: <rv>')
      .replace(/\b10\.\d+\.\d+\.\d+\b/g, '<ip>')
      .replace(/\b(\d+d)?(\d+h)?(\d+m)?\d+(\.\d+)?m?s\b/g, '<age>')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, '<date>')
      .replace(/^W\d{4} [\d:.]+ +\d+ /gm, 'W ')
      .replace(/https:\/\/127\.0\.0\.1:\d+/g, '<server>')
      .replace(/kubectl-edit-\d+\.yaml/g, 'kubectl-edit.yaml')
      .replace(/LAST SEEN .*/g, 'LAST SEEN …')
      .replace(/ +$/gm, '')
      .replace(/(\S) {2,}/g, '$1  ')
      // A loop of the real server, which may come upon a Service before it has heard of its address.
      .replace(/^.* ipallocator-repair-controller .*\n/gm, '')
      .replace(/^Events:\n +Type .*\n +---- .*\n(?! +\w)/gm, 'Events:  <none>\n')
  );
}

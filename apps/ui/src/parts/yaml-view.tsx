import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { MergeView } from '@codemirror/merge';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type ReactElement, useEffect, useRef } from 'react';

// The colours are the page's own, so that both themes fit.
const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--code-key)' },
  { tag: [tags.string, tags.content], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: tags.comment, color: 'var(--text-faint)' },
]);

function readOnlyYaml(): Extension {
  return [
    yaml(),
    lineNumbers(),
    syntaxHighlighting(highlight),
    EditorView.lineWrapping,
    EditorView.editable.of(false),
    EditorState.readOnly.of(true),
  ];
}

export function YamlView({ text }: { text: string }): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = new EditorView({ doc: text, extensions: readOnlyYaml(), parent: host.current! });
    return () => view.destroy();
  }, [text]);
  return <div className="code" ref={host} />;
}

/** Live at the left, desired at the right, unchanged parts folded. */
export function YamlDiff({ live, desired }: { live: string; desired: string }): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const view = new MergeView({
      a: { doc: live, extensions: readOnlyYaml() },
      b: { doc: desired, extensions: readOnlyYaml() },
      parent: host.current!,
      collapseUnchanged: { margin: 3, minSize: 6 },
    });
    return () => view.destroy();
  }, [live, desired]);
  return <div className="code" ref={host} />;
}

{#-
    Runs a materialization of dbt for the current model, seed or data test, unless its fingerprint is that of its last
    build: then its rows stand, or the test has passed on these very rows. A data test counts as passed if it found
    nothing. What this run does is fingerprinted anew. `call_macro` leaves this macro out of dbt's stack of macros, in which
    the code of a Python model may stand at the second place only.
-#}
{% macro unless_unchanged(materialize) %}
    {%- set is_test = model.resource_type == 'test' -%}
    {%- set known = graph.get('fingerprints') -%}
    {#- Only the hook of this very command says what is known. -#}
    {%- if not known or known.invocation != invocation_id or (is_test and should_store_failures()) -%}
        {%- do return(materialize.call_macro()) -%}
    {%- endif -%}
    {%- set noted = known.noted.get(model.unique_id) -%}
    {%- if noted and noted == fingerprint(known) -%}
        {%- do known.unchanged.append(model.resource_type) -%}
        {%- do store_raw_result(
            'main', message='unchanged', code='unchanged', rows_affected=none, agate_table=known.passed if is_test else none
        ) -%}
        {#- dbt asks for the file of a seed, too. -#}
        {%- do store_raw_result('agate_table', message='unchanged', code='unchanged', rows_affected=none) -%}
        {%- do return({'relations': [] if is_test else [load_cached_relation(this)]}) -%}
    {%- endif -%}
    {%- set made = materialize.call_macro() -%}
    {%- if not is_test -%}
        {%- do known.rows.update(hashes_of_rows(made.relations[0])) -%}
    {%- endif -%}
    {%- if not is_test or load_result('main').table.rows[0][0] == 0 -%}
        {%- set after = fingerprint(known) -%}
        {%- do known.made.update({model.unique_id: after}) if after -%}
    {%- endif -%}
    {%- do return(made) -%}
{% endmacro %}

{#-
    The fingerprint of the current model, seed or data test: a hash of its code and settings, of the rows that it reads,
    and of its own rows. Meta reads_outside says what else a model reads: `today`, the UTC day on which it runs, is part of
    the hash. For a file or a service there is no fingerprint (none), nor for a ledger of the board (meta publishes): what
    the board has is not known here.
-#}
{% macro fingerprint(known) %}
    {%- set meta = model.config.meta or {} -%}
    {%- if meta.get('reads_outside') in ('file', 'service') or meta.get('publishes') or (model.checksum or {}).get('name') == 'path' -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- set is_test = model.resource_type == 'test' -%}
    {%- set names = tables_behind(model, known) + ([] if is_test else [this.schema ~ '.' ~ this.identifier]) -%}
    {%- set rows = [] -%}
    {%- for name in names | unique | sort -%}
        {%- if name not in known.rows -%}
            {%- do return(none) -%}
        {%- endif -%}
        {%- do rows.append([name, known.rows[name]]) -%}
    {%- endfor -%}
    {#- The compiled code of an incremental model is another one in its first build. Its vars and macros are in known.code. -#}
    {%- set code = model.compiled_code if is_test else model.raw_code -%}
    {%- set today = run_started_at.date() | string if meta.get('reads_outside') == 'today' else none -%}
    {%- set all_of_it = tojson(
        [known.code, today, code, model.checksum or none, model.config, model.description, model.columns, rows], sort_keys=true
    ) -%}
    {%- do return(local_md5(all_of_it) if all_of_it else none) -%}
{% endmacro %}

{#- The names of the tables that a node reads: its parents, and what is behind those that are views. -#}
{% macro tables_behind(node, known) %}
    {%- if node.unique_id not in known.behind -%}
        {%- set found = [] -%}
        {%- for parent_id in (node.depends_on or {}).get('nodes', []) -%}
            {%- set parent = graph.nodes.get(parent_id) or graph.sources.get(parent_id) -%}
            {%- do found.append(parent.schema ~ '.' ~ (parent.alias or parent.identifier)) -%}
            {%- if parent.resource_type == 'model' and parent.config.materialized == 'view' -%}
                {%- do found.extend(tables_behind(parent, known)) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do known.behind.update({node.unique_id: found}) -%}
    {%- endif -%}
    {%- do return(known.behind[node.unique_id]) -%}
{% endmacro %}

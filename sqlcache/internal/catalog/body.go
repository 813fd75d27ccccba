package catalog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/larder-go/larder/internal/statement"
)

// body is what the text of a function shows.
type body struct {
	// understood says that it does nothing but execute the statements, and look at the
	// row that fired it, change it, or refuse it.
	understood bool
	statements []statement.Statement
	// tame says of one that is not understood that it changes rows at most, and neither
	// definitions nor the session.
	tame bool
}

// calm are the words of trigger functions that do nothing but look at the row, change
// it, refuse it or notify somebody: no word here names a table or what changes one.
var calm = set(`
	begin end if then else elsif elseif case when is not null distinct from and or in
	like ilike between true false return raise exception notice warning info
	log debug using errcode message detail hint perform
	tg_op tg_name tg_table_name tg_table_schema tg_relname tg_when tg_level tg_argv tg_nargs
	text int integer bigint smallint boolean timestamptz timestamp date time numeric
	uuid jsonb json interval varchar with without zone at
	now clock_timestamp statement_timestamp transaction_timestamp current_timestamp
	localtimestamp current_date current_user session_user coalesce nullif greatest least
	lower upper trim btrim ltrim rtrim length replace concat concat_ws left right substr
	substring md5 gen_random_uuid to_tsvector setweight to_json to_jsonb row_to_json
	json_build_object jsonb_build_object round floor ceil abs extract date_trunc
	regexp_replace format nextval pg_notify pg_catalog`)

// wild are the words of what changes definitions or the session, or executes what the
// text does not show. SET does, unless it belongs to an UPDATE.
var wild = set(`
	alter call comment create discard do drop execute grant import load pg_temp prepare
	reassign refresh reindex reset revoke security set_config temp temporary`)

// lexeme is a part of a body: a comment, a text, a quoted name, a word, a number, or
// any other character.
var lexeme = regexp.MustCompile(`--[^\n]*|'(?:[^']|'')*'|"(?:[^"]|"")*"|[\pL_][\pL\pN_]*|[0-9]+|\s+|(?s:.)`)

// lexemes takes a body apart, without comments and space; names and keywords are in
// lower case. It fails on nested texts ($$), escapes (E'…') and comments over several
// lines, which it does not know.
func lexemes(source string) (found []string, ok bool) {
	if strings.ContainsAny(source, `\$`) || strings.Contains(source, "/*") {
		return nil, false
	}
	for _, l := range lexeme.FindAllString(source, -1) {
		if strings.HasPrefix(l, "--") || strings.TrimSpace(l) == "" {
			continue
		}
		if l[0] != '\'' && l[0] != '"' {
			l = strings.ToLower(l)
		}
		found = append(found, l)
	}
	return found, true
}

// isName tells whether a lexeme is a name or a keyword.
func isName(l string) bool {
	return lexeme.FindString(l) == l && (l[0] == '"' || l[0] == '_' || l[0] >= 'a')
}

// newBody reads the text of a function; given says that a name is that of a relation
// or function of a user.
func newBody(r routineRow, given func(name string) bool) body {
	all, ok := lexemes(r.Source)
	if !ok || r.Special || r.Language != "plpgsql" && r.Language != "sql" {
		return body{}
	}
	b := body{tame: isTame(all, given), understood: true}
	variables := map[string]bool{"new": true, "old": true}
	declaring := false
	for _, piece := range pieces(all) {
		if piece[0] == "declare" {
			declaring, piece = true, piece[1:]
		}
		switch {
		case len(piece) == 0:
		case slices.Contains([]string{"insert", "update", "delete"}, piece[0]), r.Language == "sql":
			s := statement.Analyze(strings.Join(piece, " "))
			if s.Kind != statement.Write && (r.Language != "sql" || s.Kind != statement.Select) {
				return body{tame: b.tame}
			}
			b.statements = append(b.statements, s)
		case declaring && isName(piece[0]) && piece[0] != "begin":
			variables[piece[0]] = true
			if !isCalm(piece[1:], variables, given) {
				return body{tame: b.tame}
			}
		default:
			declaring = false
			if !isCalm(piece, variables, given) {
				return body{tame: b.tame}
			}
		}
	}
	return b
}

// pieces splits a body where a statement may begin. An expression with CASE comes apart
// too; its pieces are then not understood.
func pieces(all []string) (found [][]string) {
	start := 0
	for i, l := range all {
		switch l {
		case "begin", "then", "else", "declare", ";":
			end := i
			if l != ";" && l != "declare" {
				end++ // the word belongs to what is before it
			}
			if end > start {
				found = append(found, all[start:end])
			}
			start = i + 1
			if l == "declare" {
				start = i
			}
		}
	}
	if start < len(all) {
		found = append(found, all[start:])
	}
	return found
}

// isCalm tells whether all words are calm ones, variables, or fields of variables.
func isCalm(piece []string, variables map[string]bool, given func(string) bool) bool {
	for i, l := range piece {
		called := i+1 < len(piece) && piece[i+1] == "("
		switch {
		case !isName(l):
		case i > 1 && piece[i-1] == "." && variables[piece[i-2]] && !called:
		case variables[l] && !called:
		case calm[l] && !given(l):
		default:
			return false
		}
	}
	return true
}

// isTame tells whether no word is wild.
func isTame(all []string, given func(string) bool) bool {
	updating := false
	for i, l := range all {
		updating = (updating || l == "update") && l != ";"
		called := i+1 < len(all) && all[i+1] == "("
		if wild[l] || l == "set" && !updating || isName(l) && called && given(l) {
			return false
		}
	}
	return true
}

-- macros: the spellings of one name, number or address brought to one form (NULL where nothing is left)
CREATE OR REPLACE TEMP MACRO folded(written) AS
    CASE
        WHEN strlen(written) = length(written) OR NOT regexp_matches(written, '[^\x00-\x7F一-鿿]') THEN lower(written)
        WHEN regexp_matches(written, '[！-～　]')
            THEN lower(strip_accents(nfc_normalize(translate(written, $wide, $narrow))))
        ELSE lower(strip_accents(nfc_normalize(written)))
    END;
-- Replacing costs five times what looking costs, and most values are clean.
CREATE OR REPLACE TEMP MACRO letters_only(small) AS
    CASE
        WHEN regexp_full_match(small, '[\p{L}\p{N}]+') THEN small
        ELSE nullif(regexp_replace(small, '[^\p{L}\p{N}]+', '', 'g'), '')
    END;
CREATE OR REPLACE TEMP MACRO letters(written) AS letters_only(folded(written));
CREATE OR REPLACE TEMP MACRO words(written) AS
    nullif(trim(regexp_replace(folded(written), '[^\p{L}\p{N}]+', ' ', 'g')), '');
CREATE OR REPLACE TEMP MACRO digits(written) AS
    regexp_replace(folded(written), '[^0-9]+', '', 'g');
CREATE OR REPLACE TEMP MACRO phone_number(written) AS
    CASE
        WHEN regexp_matches(digits(written), '1[3-9][0-9]{9}$$') AND NOT regexp_matches(written, '^\s*[+]1\b') THEN right(digits(written), 11)
        WHEN length(digits(written)) >= 6 AND NOT regexp_full_match(digits(written), '$repeated')
            THEN right(digits(written), 10)
    END;
CREATE OR REPLACE TEMP MACRO check_character(seventeen) AS
    substr('10x98765432', (($checksum) % 11 + 1)::INTEGER, 1);
CREATE OR REPLACE TEMP MACRO resident_id(identifier) AS
    CASE
        WHEN strlen(identifier) = 18 AND try_cast(left(identifier, 17) AS BIGINT) >= 10000000000000000
            THEN check_character(try_cast(left(identifier, 17) AS BIGINT)) = right(identifier, 1)
        ELSE false
    END;
CREATE OR REPLACE TEMP MACRO long_resident_id(identifier) AS
    left(identifier, 6) || '19' || substr(identifier, 7)
    || check_character((left(identifier, 6) || '19' || substr(identifier, 7))::BIGINT);
CREATE OR REPLACE TEMP MACRO identifier_value(written) AS
    CASE
        WHEN length(letters(written)) < 5 OR no_number(letters(written)) THEN NULL
        ELSE letters(written)
    END;
-- Jr and Sr tell father and son apart: 1 is Sr, 2 is Jr or II, and so on.
CREATE OR REPLACE TEMP MACRO generation(word) AS
    CASE
        WHEN word IN ('sr', 'senior', 'snr', 'i', '1st') THEN '1'
        WHEN word IN ('jr', 'junior', 'jnr', 'ii', '2nd') THEN '2'
        WHEN word IN ('iii', '3rd') THEN '3'
        WHEN word IN ('iv', '4th') THEN '4'
    END;
-- Slips of a pen in a date: one character (an exchange of neighbours is one), day and month swapped, or one part of two.
CREATE OR REPLACE TEMP MACRO dates_slip(one, other) AS
    CASE
        WHEN left(one, 4) = left(other, 4) AND (substr(one, 6, 2) = substr(other, 6, 2) OR right(one, 2) = right(other, 2)
            OR (substr(one, 6, 2) = right(other, 2) AND right(one, 2) = substr(other, 6, 2))) THEN true
        WHEN levenshtein(one, other) > 2 THEN false
        ELSE damerau_levenshtein(one, other) <= 1
    END;
CREATE OR REPLACE TEMP MACRO dates_apart(one, other) AS one != other AND NOT dates_slip(one, other);
-- Parents do not tell their children apart by neighbours exchanged or by a letter left out inside a long name.
CREATE OR REPLACE TEMP MACRO slip_of_name(one, other) AS
    CASE
        WHEN strlen(one) != length(one) OR strlen(other) != length(other) THEN false
        WHEN length(one) = length(other)
            THEN length(one) >= 4 AND levenshtein(one, other) = 2 AND damerau_levenshtein(one, other) = 1
        ELSE least(length(one), length(other)) >= 7 AND abs(length(one) - length(other)) = 1
            AND levenshtein(one, other) = 1 AND left(one, 2) = left(other, 2) AND right(one, 2) = right(other, 2)
    END;
-- Numbers (lines of system, bar, value) of which one system is in both and no value of it is.
CREATE OR REPLACE TEMP MACRO own_numbers_differ(one, other) AS
    coalesce(
        list_has_any(
            list_transform(string_split(one, chr(10)), lambda n: split_part(n, '|', 1)),
            list_transform(string_split(other, chr(10)), lambda n: split_part(n, '|', 1))
        ) AND NOT list_has_any(string_split(one, chr(10)), string_split(other, chr(10))),
        false
    );

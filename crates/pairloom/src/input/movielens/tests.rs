//! Rows of small files in the shape of the real ones.

use super::*;
use crate::input::{Format, FormatName, OpenOptions, from_bytes, open_as};
use std::fs;

/// The cells of all rows, with `,` between them; errors as they are.
fn rows(reader: Result<Box<dyn Reader>>) -> Vec<String> {
    let mut reader = match reader {
        Ok(reader) => reader,
        Err(error) => return vec![error.to_string()],
    };
    let mut texts = vec![reader.columns().join(",")];
    let mut row = RawRow::new();
    loop {
        match reader.read(&mut row) {
            Ok(false) => return texts,
            Ok(true) => {
                assert_eq!(row.len(), reader.columns().len());
                let cells = (0..row.len()).map(|i| String::from_utf8_lossy(row.cell(i)));
                texts.push(cells.collect::<Vec<_>>().join(","));
            }
            Err(error) => texts.push(error.to_string()),
        }
    }
}

fn joined(
    edition: MovieLens,
    ratings: &[u8],
    users: impl AsRef<[u8]>,
    items: impl AsRef<[u8]>,
) -> Vec<String> {
    rows(movielens_from_bytes(edition, ratings, users.as_ref(), items.as_ref()))
}

/// An item of 100K with these genres.
fn item(head: &[u8], genres: &[usize]) -> Vec<u8> {
    let flags = (0..19).map(|genre| if genres.contains(&genre) { "|1" } else { "|0" });
    [head, flags.collect::<String>().as_bytes(), b"\n"].concat()
}

const USERS: &str = "1|24|M|technician|85711\n2|53|F|other|94043\n";

fn items() -> Vec<u8> {
    let toy = item(b"1|Toy Story (1995)|01-Jan-1995||http://x", &[3, 4, 5]);
    // ISO-8859-1: an e with an accent is one byte.
    let latin = item(b"2|Mis\xe9rables, Les (1995)|01-Jan-1995||", &[8]);
    [toy, latin, item(b"267|unknown||||"[..14].as_ref(), &[0])].concat()
}

#[test]
fn ratings_of_100k() {
    let ratings = b"1\t1\t5\t874965758\r\n\n2\t2\t3\t876893171\n3\t267\t1\t1\n1\t9\t1\t1";
    let rows = joined(MovieLens::Small, ratings, USERS, items());
    let expected = [
        "user,item,rating,timestamp,age,gender,occupation,zip,title,year,genres",
        "1,1,5,874965758,24,M,technician,85711,Toy Story (1995),1995,Animation|Children's|Comedy",
        "2,2,3,876893171,53,F,other,94043,Mis\u{e9}rables, Les (1995),1995,Drama",
        "3,267,1,1,,,,,unknown,,unknown",
        "1,9,1,1,24,M,technician,85711,,,",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn ratings_of_1m() {
    let users = "1::F::1::10::48067\n2::M::56::16::70072\n";
    let items = b"1::Star Wars: Episode IV - A New Hope (1977)::Action|Sci-Fi\n\
                  2::A::B::C (2000)::Drama\n3::Fran\xe7ais (1999) (TV)::\n";
    let rows =
        joined(MovieLens::Million, b"1::1::5::978300760\n2::2::4::1\n2::3::1::1\n", users, items);
    let expected = [
        "user,item,rating,timestamp,age,gender,occupation,zip,title,year,genres",
        "1,1,5,978300760,1,F,10,48067,Star Wars: Episode IV - A New Hope (1977),1977,Action|Sci-Fi",
        "2,2,4,1,56,M,16,70072,A::B::C (2000),2000,Drama",
        "2,3,1,1,56,M,16,70072,Fran\u{e7}ais (1999) (TV),1999,",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn ratings_of_the_latest() {
    let items = "movieId,title,genres\n1,\"American President, The (1995)\",Comedy|Drama\n\
                 2,\"The \"\"Big\"\" One (2006\u{2013}2007) \",(no genres listed)\n\
                 3,2046 (2004),Drama\n4,Nowhere (19955) (x),Drama\n";
    let ratings =
        b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,0.5,2\n7,3,5.0,3\n7,4,5.0,3\n";
    let expected = [
        "user,item,rating,timestamp,title,genres,year",
        "1,1,4.0,964982703,American President, The (1995),Comedy|Drama,1995",
        "1,2,0.5,2,The \"Big\" One (2006\u{2013}2007) ,,2006",
        "7,3,5.0,3,2046 (2004),Drama,2004",
        "7,4,5.0,3,Nowhere (19955) (x),Drama,",
    ];
    assert_eq!(joined(MovieLens::Latest, ratings, "", items), expected);
    // Rows without ratings, in another order, with the names that rows are given.
    let asked = joined(MovieLens::Latest, b"item,user\n3,1\n", "", items);
    assert_eq!(asked, ["item,user,title,genres,year", "3,1,2046 (2004),Drama,2004"]);
}

#[test]
fn tables_beside_ratings_are_rows_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = |edition, name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        rows(open_as(&path.to_string_lossy(), Format::MovieLens { edition }))
    };
    let users = table(MovieLens::Small, "u.user", USERS.as_bytes());
    assert_eq!(users[..2], ["user,age,gender,occupation,zip", "1,24,M,technician,85711"]);
    let found = table(MovieLens::Small, "u.item", &items());
    assert_eq!(found[1], "1,Toy Story (1995),1995,Animation|Children's|Comedy");
    let users = table(MovieLens::Million, "users.dat", b"1::F::1::10::48067\n");
    assert_eq!(users[1], "1,1,F,10,48067");
    let found = table(MovieLens::Million, "movies.dat", b"5::X (1990)::Drama\n");
    assert_eq!(found, ["item,title,year,genres", "5,X (1990),1990,Drama"]);
    let options = OpenOptions {
        format: Some(FormatName::MovieLens(MovieLens::Latest)),
        ..OpenOptions::default()
    };
    let asked = rows(from_bytes("-", "userId,country\n1,x\n", &options));
    assert_eq!(asked, ["user,country", "1,x"]);
}

#[test]
fn damage_is_told_with_its_place() {
    use MovieLens::{Latest, Million, Small};
    let first = |edition, ratings: &str, users: &str, items: &[u8]| {
        let rows = joined(edition, ratings.as_bytes(), users, items);
        rows.into_iter().find(|row| row.contains(": ")).unwrap_or_default()
    };
    let cases = [
        (
            first(Small, "1\t1\t5\n", USERS, &items()),
            "ratings:1:6: 3 parts, expected 4: user, item,",
        ),
        (first(Small, "1\t1\t5\t7\t8\n", USERS, &items()), "ratings:1:9: more parts, expected 4"),
        (
            first(Small, "1\t2\t3\t4\nx\t1\t5\t6\n", USERS, &items()),
            "ratings:2:1: user: 'x' is no num",
        ),
        (
            first(Small, "1\t\t3\t4\n", USERS, &items()),
            "ratings:1:3: item: an empty cell is no num",
        ),
        (first(Small, "1\0\t1\t5\t7\n", USERS, &items()), "ratings:1:2: a NUL byte"),
        (
            first(Small, "1\t1\t5\t7\n", "1|24|M|x\n", b""),
            "u.user:1:9: 4 parts, expected 5: user|age",
        ),
        (first(Small, "1\t1\t5\t7\n", "", b"1|X (1990)|||\n"), "u.item:1:14: 5 parts, expected 24"),
        (
            first(Million, "1::1::5\n", "", b""),
            "ratings:1:8: 3 parts, expected 4: user::item::rating",
        ),
        (
            first(Million, "1::1::5::7\n", "1::F::1::10::4\n1::F::1::10::4\n", b""),
            "users.dat:2:1: user 1 was there before",
        ),
        (
            first(Million, "1::1::5::7\n", "", b"1::X\n"),
            "movies.dat:1:5: 2 parts, expected 3: item::",
        ),
        (
            first(Latest, "a,b\n1,2\n", "", b""),
            "ratings: the first line must name the columns: userId",
        ),
        (
            first(Latest, "userId,movieId\n1,1\n", "", b"movieId,title\n1,x\n"),
            "movies.csv: the first line must name",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    let wrong = String::from_utf8(item(b"1|X|||", &[])).unwrap().replacen("|0|0\n", "|2|0\n", 1);
    let found = first(Small, "1\t1\t5\t7\n", "", wrong.as_bytes());
    assert!(found.starts_with("u.item:1:42: '2' is no flag of War, which is 0 or 1"), "{found}");
}

#[test]
fn a_file_that_is_not_beside_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("u.data");
    fs::write(&path, "1\t1\t5\t7\n").unwrap();
    let path = path.to_string_lossy();
    let error = open_as(&path, Format::MovieLens { edition: MovieLens::Small }).err().unwrap();
    let file = folder.path().join("u.user").to_string_lossy().into_owned();
    let expected = format!(
        "{path}: rows of movielens-100k are joined with u.user, which is not there: put {file}"
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
}
